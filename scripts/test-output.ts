/** How the runner of the tests names files, errors and times. */

export function placeOf(
  test: Readonly<{ name: string; file?: string | undefined; line?: number | undefined }>,
): string {
  return `${local(test.file ?? "")}:${test.line ?? 0} ${test.name}`;
}

export function local(file: string): string {
  return file.replace(`${process.cwd()}/`, "");
}

export function explain(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return (cause.stack ?? cause.message)
    .split("\n")
    .filter((line) => !line.includes("node:internal"))
    .slice(0, 40)
    .join("\n");
}

export function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)}s`.padStart(7);
}
