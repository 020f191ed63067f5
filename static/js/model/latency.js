/**
 * How long things take: the newest samples of each kind, their middle and their worst twentieth. Pure.
 */

const KEPT = 240;

/** Name of a kind of sample, all in ms. @typedef {"network" | "queue" | "decode" | "paint" | "total"} Kind */

/**
 * @param {readonly number[]} samples @param {number} share 0 to 1
 * @returns {number | null} the nearest-rank percentile; null of nothing
 */
export function percentile(samples, share) {
  if (samples.length === 0) return null;
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

export class Latency {
  /** @type {Record<Kind, number[]>} */
  samples = { network: [], queue: [], decode: [], paint: [], total: [] };

  /** @param {Kind} kind @param {number} ms */
  add(kind, ms) {
    const samples = this.samples[kind];
    samples.push(Math.max(0, ms));
    if (samples.length > KEPT) samples.shift();
  }

  /** @returns {{ kind: Kind, p50: number | null, p95: number | null, last: number | null, count: number }[]} */
  rows() {
    return /** @type {Kind[]} */ (Object.keys(this.samples)).map((kind) => {
      const samples = this.samples[kind];
      const [p50, p95] = [0.5, 0.95].map((share) => percentile(samples, share));
      return { kind, p50, p95, last: samples.at(-1) ?? null, count: samples.length };
    });
  }
}
