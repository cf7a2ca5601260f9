import type { SetByUsers } from "../../adapters/sqlite/read/changed-since.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { PROGRAM } from "../call.ts";
import { oneLine } from "./text.ts";

/** Settings that a thief may have made and the owner removed, with the command that removes each again. */
export function comesBack({ appPasswords, forwards, replies, networks }: SetByUsers): readonly string[] {
  const commands = [
    [appPasswords, "account app-password remove ADDRESS NAME"],
    [forwards, "account forward ADDRESS --off"],
    [replies, "account vacation ADDRESS --off"],
    [networks, "account networks ADDRESS remove NETWORK"],
  ] as const;
  const lines = commands.map(([{ removed, changed }, command]) =>
    lineOf("Comes back", [...removed, ...changed], command),
  );
  // A network that was added since then is a restriction that will be missing.
  return [...lines, lineOf("Will be missing", networks.added, "account networks ADDRESS add NETWORK")].flat();
}

function lineOf(what: string, names: readonly string[], command: string): readonly string[] {
  return names.length === 0 ? [] : [`  ${what}: ${names.map(oneLine).join(", ")}. To undo: \`${PROGRAM} ${command}\``];
}

/** The same after a restore. `aside`: the former data directory, null if there was none to compare with. */
export async function comesBackFrom(restored: Layout, aside: string | null): Promise<readonly string[]> {
  const [{ setByUsers }, { openAnySchema }] = await Promise.all([
    import("../../adapters/sqlite/read/changed-since.ts"),
    import("../../adapters/sqlite/schemas.ts"),
  ]);
  try {
    if (aside === null) return [UNKNOWN];
    using now = openAnySchema(layoutOf(aside).accountsDb);
    using copy = openAnySchema(restored.accountsDb);
    return comesBack(setByUsers(now, copy));
  } catch {
    // The former database may be the reason for the restore.
    return [UNKNOWN];
  }
}

const UNKNOWN = `App passwords, forwards, replies and networks of accounts that were removed after the backup are back: once the server runs, \`${PROGRAM} access review\` lists them, and \`${PROGRAM} account vacation ADDRESS\` shows a reply.`;
