// Hash version 1 in JavaScript: the second, independent reading of ../SPEC.md.
//
//   node bucket.mjs           checks ../cases.json
//   node bucket.mjs --write   writes it again from this file alone
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { deepStrictEqual } from "node:assert";
import { pathToFileURL } from "node:url";

export const BUCKETS = 1_000_000;
const CASES = new URL("../cases.json", import.meta.url);

/** The bucket of a visitor, 0 to BUCKETS - 1. */
export function bucket(salt, purpose, visitor) {
  const bytes = new TextEncoder().encode([salt, purpose, visitor].join(":"));
  const head = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  return Number.parseInt(head, 16) % BUCKETS;
}

/** Whole buckets for weights, by largest remainder, in exact arithmetic. */
export function quotas(weights) {
  let scaled = weights;
  while (!scaled.every(Number.isInteger)) scaled = scaled.map((w) => w * 2);
  const exact = scaled.map(BigInt);
  const total = exact.reduce((sum, w) => sum + w, 0n);
  const counts = exact.map((w) => (w * BigInt(BUCKETS)) / total);
  const rest = exact.map((w) => (w * BigInt(BUCKETS)) % total);
  let missing = BigInt(BUCKETS) - counts.reduce((sum, n) => sum + n, 0n);
  while (missing > 0n) {
    const largest = rest.reduce((best, r, i) => (r > rest[best] ? i : best), 0);
    rest[largest] = -1n;
    counts[largest] += 1n;
    missing -= 1n;
  }
  return counts.map(Number);
}

/** Spans [start, end, variant] of an owner for each bucket. */
function spans(owners) {
  const found = [];
  owners.forEach((owner, i) => {
    const last = found[found.length - 1];
    if (last && last[2] === owner) last[1] = i + 1;
    else found.push([i, i + 1, owner]);
  });
  return found;
}

function owners(allocation) {
  const list = Array(BUCKETS).fill(null);
  for (const [start, end, key] of allocation) list.fill(key, start, end);
  return list;
}

/** The first layout of variants [key, weight]. */
export function allocate(variants) {
  const counts = quotas(variants.map(([, weight]) => weight));
  return spans(variants.flatMap(([key], i) => Array(counts[i]).fill(key)));
}

/** The layout after new weights: bucket by bucket, keep what may stay, refill. */
export function reallocate(before, variants) {
  const counts = quotas(variants.map(([, weight]) => weight));
  const wanted = new Map(variants.map(([key], i) => [key, counts[i]]));
  const take = (key) => wanted.set(key, wanted.get(key) - 1) && key;
  const kept = owners(before).map((key) => (wanted.get(key) > 0 ? take(key) : null));
  const growing = () => [...wanted.keys()].find((key) => wanted.get(key) > 0);
  return spans(kept.map((key) => key ?? take(growing())));
}

/** What a running experiment shows to a visitor who was never exposed to it. */
export function choose({ salt, coverage, spans: allocation, control, visitor }) {
  if (bucket(salt, "coverage", visitor) >= Math.round(coverage * BUCKETS)) {
    return { variant: control, in_experiment: false, reason: "outside_coverage" };
  }
  const place = bucket(salt, "variant", visitor);
  const [, , variant] = allocation.find(([, end]) => place < end);
  return { variant, in_experiment: true, reason: "assigned" };
}

function cases() {
  const salts = ["", "home", "3f2a9c", "Größe", "a:b"];
  const visitors = [
    "", "0", "1", "2", "visitor-1", "visitor-2", "Visitor-1", " visitor-1",
    "01890a5d-ac96-774b-bcce-b302099a8057", "x".repeat(128), "a:b:c", "Jürgen Weiß",
    "Ju\u0308rgen", "Österreich", "名前", "مرحبا", "😀", "👩‍👩‍👧", "\u{10ffff}", "\ufffd",
  ];
  const thirds = [["a", 1], ["b", 1], ["c", 1]];
  const layouts = [
    [["a", 1], ["b", 1]], [["a", 9], ["b", 1]], thirds, [["a", 0.1], ["b", 0.2]],
    [["a", 1], ["b", 4], ["c", 1]], [["a", 1], ["b", 0], ["c", 2]],
    [["a", 1e-9], ["b", 1]], [["a", 0.7], ["b", 0.2], ["c", 0.1]],
    "abcdefg".split("").map((key) => [key, 1]),
  ];
  const changes = [
    [[["a", 1], ["b", 1]], [["a", 6], ["b", 4]]],
    [thirds, [["a", 2], ["b", 1], ["c", 1]]],
    [thirds, [["a", 1], ["b", 1], ["c", 1], ["d", 1]]],
    [thirds, [["a", 1], ["b", 0], ["c", 1]]],
    [[["a", 1], ["b", 1]], [["a", 0], ["b", 1]]],
    [[["a", 99], ["b", 1]], [["a", 1], ["b", 99]]],
  ];
  const running = [
    { salt: "home", coverage: 1, spans: allocate(layouts[0]), control: "a" },
    { salt: "home", coverage: 0.3, spans: allocate(layouts[0]), control: "a" },
    { salt: "Größe", coverage: 0.999999, spans: allocate(thirds), control: "a" },
    { salt: "3f2a9c", coverage: 1, spans: reallocate(...[allocate(thirds), layouts[7]]),
      control: "a" },
  ];
  return {
    hash_version: 1,
    buckets: BUCKETS,
    bucket: salts.flatMap((salt) => ["coverage", "variant"].flatMap((purpose) =>
      visitors.map((visitor) =>
        ({ salt, purpose, visitor, bucket: bucket(salt, purpose, visitor) })))),
    allocate: layouts.map((variants) => ({ variants, spans: allocate(variants) })),
    reallocate: changes.map(([from, variants]) => {
      const before = allocate(from);
      const after = reallocate(before, variants);
      const now = owners(after);
      const moved = owners(before).filter((owner, i) => owner !== now[i]).length;
      return { before, variants, after, moved };
    }),
    choose: running.flatMap((experiment) => visitors.slice(4, 16).map((visitor) => {
      const asked = { ...experiment, visitor };
      return { ...asked, ...choose(asked) };
    })),
  };
}

/** JSON in ASCII, lest an editor normalises a name, with one case a line. */
function text(value) {
  const escape = (letter) => `\\u${letter.charCodeAt().toString(16).padStart(4, "0")}`;
  const line = (c) => JSON.stringify(c).replace(/[^ -~]/g, escape);
  const lines = Object.entries(value).map(([name, part]) => Array.isArray(part)
    ? `"${name}": [\n    ${part.map(line).join(",\n    ")}\n  ]`
    : `"${name}": ${line(part)}`);
  return `{\n  ${lines.join(",\n  ")}\n}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const computed = cases();
  if (process.argv.includes("--write")) writeFileSync(CASES, text(computed));
  deepStrictEqual(computed, JSON.parse(readFileSync(CASES, "utf8")));
  console.log("cases.json agrees with bucket.mjs");
}
