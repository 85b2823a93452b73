/** Kubernetes quantities as numbers: "500m" is 0.5, "1Gi" is 1073741824. */

const scales: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Far more characters than any amount needs, with all digits that a number can hold. */
export const maxQuantityLength = 100;

/** The number that a quantity stands for; undefined when it is none. */
export function parseQuantity(text: string): number | undefined {
  if (text.length > maxQuantityLength) return undefined;
  const match = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(
    text,
  );
  if (!match) return undefined;
  const [, digits = '', exponent, suffix = ''] = match;
  const scale = exponent === undefined ? scales[suffix] : Number(`1${exponent}`);
  return scale === undefined ? undefined : Number(digits) * scale;
}

/** A CPU quantity in thousandths of a CPU, rounded up as Kubernetes does. */
export function milliCpu(text: string): number {
  // A product such as 0.57 * 1000 misses the whole number by a hair; that must not round up.
  return Math.ceil(Number((quantityOf(text) * 1000).toFixed(6)));
}

/** A memory quantity in bytes, rounded up. */
export function bytes(text: string): number {
  // As above: 68.686 * 1e9 is a hair too much.
  return Math.ceil(Number(quantityOf(text).toFixed(3)));
}

// Quantities of an accepted pod were validated with parseQuantity.
function quantityOf(text: string): number {
  const value = parseQuantity(text);
  if (value === undefined) throw new Error(`"${text}" is not a quantity`);
  return value;
}
