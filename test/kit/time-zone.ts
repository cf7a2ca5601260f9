/** Sets the time zone of this process. Call the result to restore the previous one. */
export function setZone(zone: string): () => void {
  const former = process.env["TZ"];
  process.env["TZ"] = zone;
  return () => {
    if (former === undefined) delete process.env["TZ"];
    else process.env["TZ"] = former;
  };
}
