/** A point of a pen stroke in the unit box, x to the right, y downwards. A corner is passed without rounding it off. */
export interface StrokePoint {
  x: number;
  y: number;
  corner: boolean;
}

/** One way of writing a digit: pen strokes, each a smooth curve through its points. `aspect` is width over height. */
export interface DigitPrototype {
  aspect: number;
  strokes: StrokePoint[][];
}

/** Points as "x,y" in hundredths, a corner as "x,y!". */
function prototype(aspect: number, ...strokes: string[]): DigitPrototype {
  const point = (text: string): StrokePoint => {
    const [x, y] = text.replace('!', '').split(',').map(Number);
    return { x: x / 100, y: y / 100, corner: text.endsWith('!') };
  };
  return { aspect, strokes: strokes.map((stroke) => stroke.split(' ').map(point)) };
}

/** The ways of writing each digit, 0 to 9. */
export const DIGIT_PROTOTYPES: DigitPrototype[][] = [
  [
    prototype(0.75, '55,2 25,12 8,50 22,88 50,98 80,85 92,50 78,14 50,2'),
    prototype(0.55, '62,6 30,10 8,45 15,85 48,99 82,82 92,45 75,10 45,4'),
    prototype(0.85, '40,8 12,30 10,68 42,97 80,88 95,52 82,15 48,2 36,10'),
  ],
  [
    prototype(0.3, '52,0 50,50 48,100'),
    prototype(0.45, '18,24 56,0! 54,50 52,100'),
    prototype(0.5, '20,22 52,0! 52,50 52,98', '15,99 50,98 88,99'),
  ],
  [
    prototype(0.75, '12,25 30,5 60,2 82,20 75,45 45,72 10,98! 50,96 92,97'),
    prototype(0.75, '14,22 38,2 72,8 78,32 55,62 22,92 8,84 26,76 56,92 94,90'),
    prototype(0.7, '10,14 45,2 80,16 72,44 40,74 12,95! 45,92 90,99'),
  ],
  [
    prototype(0.65, '12,12 40,0 75,10 78,32 42,47! 80,58 90,80 58,100 12,90'),
    prototype(0.7, '14,3 50,4 82,3! 46,40! 80,52 88,80 54,100 10,90'),
    prototype(0.6, '18,10 50,0 78,16 66,40 40,46 70,50 88,72 66,98 14,94'),
  ],
  [
    prototype(0.75, '25,0 18,30 10,56! 50,56 92,52', '72,5 70,50 66,100'),
    prototype(0.75, '66,0 40,30 8,66! 50,66 95,64', '66,0 67,50 64,100'),
    prototype(0.7, '16,4 10,34 30,52 62,46 84,28!', '86,0 80,50 74,100'),
  ],
  [
    prototype(0.7, '25,4 20,25 16,46! 50,36 86,56 82,86 48,100 8,90', '25,4 55,3 92,2'),
    prototype(0.7, '88,4 56,3 27,5! 20,43! 52,38 86,60 76,92 42,100 10,88'),
    prototype(0.65, '90,8 30,2! 24,40! 60,42 84,66 64,96 12,96'),
  ],
  [
    prototype(0.65, '72,2 36,20 12,56 20,88 50,100 82,85 80,62 50,52 18,70'),
    prototype(0.6, '46,0 24,35 12,72 30,98 64,98 84,78 66,60 38,62 16,80'),
    prototype(0.7, '88,6 50,8 18,40 14,80 44,100 78,90 84,66 56,54 24,68'),
  ],
  [
    prototype(0.7, '10,5 50,4 90,3! 65,40 42,100'),
    prototype(0.75, '10,6 50,5 90,4! 66,42 46,100', '26,50 50,49 80,46'),
    prototype(0.7, '8,22 12,5! 50,6 88,4! 70,35 58,66 54,100'),
  ],
  [
    prototype(0.65, '82,13 50,0 18,15 28,38 66,58 86,80 50,100 14,80 34,58 72,36 82,13'),
    prototype(0.6, '50,46 20,34 26,8 52,0 78,12 76,36 50,46 14,64 16,92 50,100 86,90 84,62 50,46'),
    prototype(0.65, '86,8 50,2 22,20 46,44 80,68 70,96 32,98 16,74 44,50 76,26 88,6'),
  ],
  [
    prototype(0.65, '82,22 55,2 20,15 18,40 50,50 80,26! 80,60 72,100'),
    prototype(0.65, '80,24 52,2 18,18 20,42 54,48 82,22! 84,66 58,98 22,92'),
    prototype(0.55, '84,10 44,2 14,26 30,48 66,42 86,10! 78,55 62,100'),
  ],
];
