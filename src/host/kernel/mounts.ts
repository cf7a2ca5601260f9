/** A file system and where it is mounted. */
type Mount = Readonly<{ point: string; source: string; type: string; isReadOnly: boolean }>;

/** The mount that holds this absolute path, from `/proc/self/mountinfo` (proc(5)); null if none does. */
export function mountOf(path: string, text: string): Mount | null {
  const above = mountsIn(text).filter(({ point }) => isBelow(path, point));
  const longest = Math.max(...above.map(({ point }) => point.length));
  // A later mount on the same directory hides the one before.
  return above.findLast(({ point }) => point.length === longest) ?? null;
}

/** Whether something is mounted on this absolute path or below it, as `/proc/self/mountinfo` says. */
export function holdsMount(path: string, text: string): boolean {
  return mountsIn(text).some(({ point }) => isBelow(point, path));
}

/** Where something is mounted below this absolute path. */
export function mountsBelow(path: string, text: string): readonly string[] {
  return mountsIn(text).flatMap(({ point }) => (point !== path && isBelow(point, path) ? [point] : []));
}

/**
 * Either the mount or its file system may be read-only; the options of the file system come last. Ext4 sets `emergency_ro` after an
 * error, from Linux 6.15 on.
 */
function mountsIn(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => {
    const [, point, options = "", type = "", source = "", ofFileSystem = ""] = LINE.exec(line) ?? [];
    if (point === undefined) return [];
    const all = [...options.split(","), ...ofFileSystem.split(",")];
    const isReadOnly = all.some((option) => option === "ro" || option === "emergency_ro");
    return [{ point: withoutEscapes(point), source: withoutEscapes(source), type, isReadOnly }];
  });
}

/** Ids, device and root; the directory; its options; fields that may be missing; type, source and options of the file system. */
const LINE = /^\d+ \d+ \S+ \S+ (\S+) (\S+)(?: [^ -]\S*)* - (\S+) (\S+) (\S+)$/;

function isBelow(path: string, point: string): boolean {
  return path === point || path.startsWith(point.endsWith("/") ? point : `${point}/`);
}

/** Decodes spaces and similar characters, which are written as three octal digits. */
function withoutEscapes(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
