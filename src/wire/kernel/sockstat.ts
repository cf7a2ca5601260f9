/** TCP sockets in use, of `/proc/net/sockstat` or `/proc/net/sockstat6` (proc(5)); null if the file does not say. */
export function parseSocketsInUse(text: string): number | null {
  const inUse = /^TCP6?: inuse (\d+)\b/m.exec(text)?.[1];
  return inUse === undefined ? null : Number(inUse);
}
