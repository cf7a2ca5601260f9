import type { Resolver } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { PortDialogue, SMTP_REPLY } from "../../adapters/probes/port-dialogue.ts";
import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import { SetUpFailure } from "../../daemon/set-up/failure.ts";
import { relayOf } from "../../daemon/set-up/site.ts";
import type { Relay } from "../../render/site.ts";
import type { Settings } from "../../settings/schema.ts";
import { type Finding, ok, unknown, wrong } from "./finding.ts";

const TIMEOUT_MS = 15 * SECOND_MS;
/** RFC 8314: implicit TLS. */
const SUBMISSIONS = 465;
const FIX = "docs/install/outside-relay.md lists possible causes";

/** `answer`: the last one of a sign-in (RFC 4954 section 6). Shows only its code, because a server may repeat the password. */
export function judgeSignIn(relay: string, answer: string): Finding {
  const code = /^\d{3}/.exec(answer.trim().split("\r\n").at(-1) ?? "")?.[0] ?? "nothing";
  if (code === "235")
    return ok(`All mail to others goes through ${relay} (outbound.relay), which accepts the sign-in.`);
  if (code.startsWith("4")) return unknown(`${relay} (outbound.relay) accepts no sign-in for now: it answers ${code}.`);
  return wrong(`${relay} (outbound.relay) refuses the name or the password: it answers ${code}.`, FIX);
}

/** Signs in to the relay, as Postfix does, and disconnects before any mail. */
export async function signInAtRelay(settings: Settings, resolver: Resolver): Promise<Finding> {
  const name = settings["outbound.relay"].replaceAll(/[[\]]/g, "");
  try {
    const relay = relayOf(settings);
    const login = relay?.login ?? null;
    if (relay === null || login === null)
      return ok(`All mail to others goes through ${name} (outbound.relay), without a sign-in.`);
    return judgeSignIn(name, await signIn(relay, { hostname: settings.hostname, login, resolver }));
  } catch (error) {
    if (error instanceof SetUpFailure) return wrong(messageOf(error), FIX);
    return wrong(`No mail can go through ${name} (outbound.relay): ${messageOf(error)}.`, FIX);
  }
}

type SignIn = Readonly<{ hostname: string; login: NonNullable<Relay["login"]>; resolver: Resolver }>;

async function signIn(relay: Relay, { hostname, login, resolver }: SignIn): Promise<string> {
  const host = /^\[(.+)\]/.exec(relay.nextHop)?.[1] ?? "";
  const tls = { ca: readFileSync(relay.authorities), ...(isIP(host) === 0 ? { servername: host } : {}) };
  const target = { host: await addressOf(host, resolver), port: relay.port, timeoutMs: TIMEOUT_MS };
  const dialogue = await PortDialogue.open(relay.port === SUBMISSIONS ? { ...target, tls } : target);
  try {
    await dialogue.hears(SMTP_REPLY);
    let offers = await dialogue.ask(`EHLO ${hostname}`);
    if (relay.port !== SUBMISSIONS) {
      const answer = await dialogue.ask("STARTTLS");
      if (!answer.startsWith("220")) throw new Error("it offers no TLS");
      await dialogue.startTls(tls);
      offers = await dialogue.ask(`EHLO ${hostname}`);
    }
    const answer = await authenticate(dialogue, offers, login);
    dialogue.close("QUIT");
    return answer;
  } catch (error) {
    dialogue.close();
    throw error;
  }
}

/** Uses PLAIN (RFC 4616), or LOGIN if the server offers nothing else. */
async function authenticate(dialogue: PortDialogue, offers: string, { user, password }: SignIn["login"]) {
  const encoded = (text: string): string => Buffer.from(text).toString("base64");
  if (/^250[ -]AUTH\b.* PLAIN\b/im.test(offers)) return dialogue.ask(`AUTH PLAIN ${encoded(`\0${user}\0${password}`)}`);
  if (!/^250[ -]AUTH\b.* LOGIN\b/im.test(offers)) throw new Error("it offers neither AUTH PLAIN nor AUTH LOGIN");
  // A server that does not ask would take the next lines for commands, and log them.
  for (const line of ["AUTH LOGIN", encoded(user)]) {
    const answer = await dialogue.ask(line);
    if (!answer.startsWith("334")) return answer;
  }
  return dialogue.ask(encoded(password));
}

/** Asks the server's own resolver, as Postfix does. */
async function addressOf(host: string, resolver: Resolver): Promise<string> {
  if (isIP(host) !== 0) return host;
  const found = (ask: Promise<string[]>): Promise<string[]> => ask.catch(() => []);
  const [four, six] = await Promise.all([found(resolver.resolve4(host)), found(resolver.resolve6(host))]);
  const [address] = [...four, ...six];
  if (address === undefined) throw new Error("its name has no address");
  return address;
}
