/** One value of a scrape. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A scrape of `GET /metrics`. */
export interface Scrape {
  /** Type by metric: counter, gauge, histogram, summary. */
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
}

/**
 * Reads Prometheus' text format, strictly.
 *
 * @param text  What an endpoint answered.
 * @returns  Types and values.
 * @throws {Error} for a line that is not in the format, or a value of a metric without a type.
 */
export function parseScrape(text: string): Scrape {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const type = /^# TYPE (\w+) (counter|gauge|histogram|summary)$/.exec(line);
    if (type) types.set(type[1], type[2]);
    if (line.startsWith('#')) continue;
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (Na[Nn]|[-+]?Inf|[-+]?[\d.]+(?:e[-+]?\d+)?)$/.exec(line);
    if (!sample) throw new Error(`not a line of Prometheus' text format: ${line}`);
    const name = sample[1];
    if (!types.has(name) && !types.has(name.replace(/_(bucket|sum|count)$/, ''))) throw new Error(`a value without a type: ${line}`);
    const labels = Object.fromEntries([...(sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key, value]));
    samples.push({ name, labels, value: Number(sample[3].replace('Inf', 'Infinity')) });
  }
  return { types, samples };
}

/**
 * Scrapes an endpoint.
 *
 * @param port  On this machine.
 * @returns  What it answered.
 */
export async function scrape(port: number): Promise<Scrape> {
  return parseScrape(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
}

/**
 * Sum of the values of a metric.
 *
 * @param scraped  A scrape.
 * @param name  Name of the metric, with `_count` or `_sum` for parts of histograms.
 * @param labels  Only values with these labels.
 * @returns  Their sum.
 */
export function sumOf({ samples }: Scrape, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  return wanted.reduce((sum, { value }) => sum + value, 0);
}
