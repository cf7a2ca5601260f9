/** A folder of a mailbox, as `doveadm mailbox status` tells it. `bytes`: of its mails as a client sees them. */
export type Folder = Readonly<{ name: string; guid: string; mails: number; bytes: number }>;

/** Some mails, and their size. */
export type Amount = Readonly<{ mails: number; bytes: number }>;

/**
 * Reads `doveadm -f tab mailbox status "guid messages vsize"`: a line of titles, then a line for each folder. Null for anything
 * else: no folder may be mistaken for another.
 */
export function parseFolders(printed: string): readonly Folder[] | null {
  const rows = rowsOf(printed);
  if (rows === null) return null;
  const folders: Folder[] = [];
  for (const row of rows) {
    const [name = "", guid = ""] = [row.get("mailbox"), row.get("guid")];
    const [mails, bytes] = [numberIn(row.get("messages")), numberIn(row.get("vsize"))];
    if (name === "" || !/^[0-9a-f]{32}$/.test(guid) || mails === null || bytes === null) return null;
    folders.push({ name, guid, mails, bytes });
  }
  return folders;
}

/** Reads `doveadm -f tab fetch size.physical`: a line of titles, then a line for each mail. Null for anything else. */
export function parseSizes(printed: string): Amount | null {
  const rows = rowsOf(printed);
  if (rows === null) return null;
  let bytes = 0;
  for (const row of rows) {
    const size = numberIn(row.get("size.physical"));
    if (size === null) return null;
    bytes += size;
  }
  return { mails: rows.length, bytes };
}

/** Without any row, doveadm prints nothing at all. */
function rowsOf(printed: string): readonly ReadonlyMap<string, string>[] | null {
  const [titles = "", ...lines] = printed.split("\n").filter((line) => line !== "");
  const names = titles.split("\t");
  const rows = lines.map((line) => line.split("\t"));
  if (rows.some((cells) => cells.length !== names.length)) return null;
  return rows.map((cells) => new Map(cells.map((cell, i) => [names[i] ?? "", unescaped(cell)])));
}

/** Dovecot's str_tabescape. */
function unescaped(cell: string): string {
  const characters: Readonly<Record<string, string>> = { "0": "\0", "1": "\x01", t: "\t", r: "\r", n: "\n" };
  const [head = "", ...rest] = cell.split("\x01");
  return head + rest.map((part) => (characters[part.charAt(0)] ?? "") + part.slice(1)).join("");
}

function numberIn(cell: string | undefined): number | null {
  return cell !== undefined && /^\d{1,15}$/.test(cell) ? Number(cell) : null;
}
