const UNITS: readonly (readonly [string, number])[] = [
  ["GB", 1024 ** 3],
  ["MB", 1024 ** 2],
  ["KB", 1024],
  ["B", 1],
];

/** Reads `10MB`, `512KB`, `2GB` as bytes, where a kilobyte is 1,024; null for anything else. */
export function parseSize(text: string): number | null {
  const match = /^(\d{1,15})(B|KB|MB|GB)$/.exec(text.trim().toUpperCase());
  if (match === null) return null;
  const unit = UNITS.find(([name]) => name === match[2]);
  const sizeBytes = unit === undefined ? Number.NaN : Number(match[1]) * unit[1];
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : null;
}

/** The shortest exact form: 10485760 is `10MB`. */
export function formatSize(sizeBytes: number): string {
  const unit = UNITS.find(([, unitBytes]) => sizeBytes >= unitBytes && sizeBytes % unitBytes === 0);
  return unit === undefined ? `${sizeBytes}B` : `${sizeBytes / unit[1]}${unit[0]}`;
}
