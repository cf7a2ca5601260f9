import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_PATH } from "../../../adapters/machine/run-program.ts";
import { codeOf } from "../../../core/error.ts";
import { type CommandCall, type CommandOutcome, PROGRAM } from "../../call.ts";

/** sysexits.h: programs that send mail expect these. */
const [EX_UNAVAILABLE, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG] = [69, 75, 77, 78] as const;
const SENDMAIL = "/usr/sbin/sendmail";

/** Postfix's own sendmail(1) on our queue; its words and its exit code are passed on. */
export async function sendmail({ layout, args, env, terminal }: CommandCall): Promise<CommandOutcome> {
  const fail = (code: number, says: string): CommandOutcome => {
    terminal.err(`${PROGRAM} sendmail: ${says}`);
    return ended(code);
  };
  // Postfix's postdrop(1) takes another configuration directory only from root.
  if (process.getuid?.() !== 0)
    return fail(EX_NOPERM, "only root may use it (docs/local-mail.md tells how others send).");
  if (!existsSync(join(layout.postfixConf, "main.cf")))
    return fail(EX_CONFIG, `there is no mail server in ${layout.data} yet: start it with \`npm start\`.`);
  const child = spawn(SENDMAIL, ["-C", layout.postfixConf, ...args], {
    stdio: "inherit",
    env: { ...env, PATH: SYSTEM_PATH },
  });
  try {
    await once(child, "close");
    return ended(child.exitCode ?? EX_TEMPFAIL);
  } catch (error) {
    return fail(EX_UNAVAILABLE, `${SENDMAIL} of Postfix cannot be run (${codeOf(error)}).`);
  }
}

function ended(code: number): CommandOutcome {
  return { ok: true, json: undefined, text: "", code };
}
