import type { Calibration } from './policy.js';

/** The probability that a score means: see {@link Calibration}. Unit of `score`: nats. */
export function calibrate(calibration: Calibration, score: number): number {
  switch (calibration.kind) {
    case 'logistic':
      return 1 / (1 + Math.exp(-score));
    case 'platt':
      return 1 / (1 + Math.exp(-(calibration.slope * score + calibration.intercept)));
    case 'isotonic':
      return interpolate(calibration.points, score);
  }
}

function interpolate(points: readonly [number, number][], x: number): number {
  const first = points[0]!;
  if (x <= first[0]) return first[1];
  for (let i = 1; i < points.length; i++) {
    const [x1, y1] = points[i]!;
    if (x > x1) continue;
    const [x0, y0] = points[i - 1]!;
    return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
  }
  return points.at(-1)![1];
}
