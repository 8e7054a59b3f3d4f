/** What came of one fault. */
export interface Row {
  role: string;
  name: string;
  moment: string;
  store: string;
  outcome: string;
  proof: string;
  seconds: number;
  passed: boolean;
}
