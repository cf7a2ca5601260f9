import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "../../src/settings/layout.ts";
import { lacking } from "./needs.ts";

/** For tests that put mails into a queue by Postfix's own sendmail(1), which lets only root name another queue. */
export const SENDMAIL = { skip: lacking({ root: true, installed: ["sendmail", "postdrop"] }) };

/** A queue of Postfix into which mails can be put while Postfix is down. */
export function makeMailQueue({ postfixConf, postfixQueue, postfixData }: Layout): void {
  for (const directory of [postfixConf, postfixData, join(postfixQueue, "maildrop"), join(postfixQueue, "public")])
    mkdirSync(directory, { recursive: true });
  const parameters = {
    compatibility_level: "3.6",
    queue_directory: postfixQueue,
    data_directory: postfixData,
    // Else each call asks the resolver for the name of this machine.
    myhostname: "mail.example.org",
  };
  const lines = Object.entries(parameters).map(([name, value]) => `${name} = ${value}\n`);
  const main = join(postfixConf, "main.cf");
  writeFileSync(main, lines.join(""));
  // Postfix waits up to two seconds for a file that was written just now: an editor may not have finished it.
  utimesSync(main, 0, 0);
  writeFileSync(join(postfixConf, "master.cf"), "");
}

/** The text of each file that waits to be taken into the queue: sender, recipients and lines, each after its length. */
export function queuedMails({ postfixQueue }: Layout): readonly string[] {
  const directory = join(postfixQueue, "maildrop");
  return readdirSync(directory).map((name) => readFileSync(join(directory, name), "latin1"));
}
