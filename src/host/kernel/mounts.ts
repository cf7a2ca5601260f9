/** A file system and where it is mounted. */
type Mount = Readonly<{ point: string; source: string; type: string; isReadOnly: boolean }>;

/**
 * The mount that holds this absolute path, from `/proc/self/mountinfo` (proc(5)); null if none does. Read-only is the mount
 * itself or its file system, whose options come last. `emergency_ro` is ext4's after an error, from Linux 6.15 on.
 */
export function mountOf(path: string, text: string): Mount | null {
  let found: Mount | null = null;
  for (const line of text.split("\n")) {
    const [, point = "", options = "", type = "", source = "", above = ""] = LINE.exec(line) ?? [];
    const unescaped = withoutEscapes(point);
    if (point === "" || !isBelow(path, unescaped)) continue;
    // A later mount on the same directory hides the one before.
    if (found !== null && unescaped.length < found.point.length) continue;
    const all = [...options.split(","), ...above.split(",")];
    const isReadOnly = all.some((option) => option === "ro" || option === "emergency_ro");
    found = { point: unescaped, source: withoutEscapes(source), type, isReadOnly };
  }
  return found;
}

/** Whether something is mounted on this absolute path or below it, as `/proc/self/mountinfo` says. */
export function holdsMount(path: string, text: string): boolean {
  return text.split("\n").some((line) => {
    const point = LINE.exec(line)?.[1];
    return point !== undefined && isBelow(withoutEscapes(point), path);
  });
}

/** Where something is mounted below this absolute path. */
export function mountsBelow(path: string, text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => withoutEscapes(LINE.exec(line)?.[1] ?? ""))
    .filter((point) => point !== path && isBelow(point, path));
}

/** Ids, device and root; the directory; its options; fields that may be missing; type, source and options of the file system. */
const LINE = /^\d+ \d+ \S+ \S+ (\S+) (\S+)(?: [^ -]\S*)* - (\S+) (\S+) (\S+)$/;

function isBelow(path: string, point: string): boolean {
  return path === point || path.startsWith(point.endsWith("/") ? point : `${point}/`);
}

/** Spaces and the like are written as three octal digits. */
function withoutEscapes(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
