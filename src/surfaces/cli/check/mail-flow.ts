import { messageOf } from "../../../core/error.ts";
import { NO_ACCOUNT } from "../../../core/net/address.ts";
import { CHECK_ADDRESS, PROBE_ADDRESS } from "../../../core/net/ip.ts";
import { PortDialogue, SMTP_REPLY } from "../../../mail/probes/port-dialogue.ts";
import { PROGRAM } from "../call.ts";
import { oneLine } from "../print/text.ts";
import { check, type Finding, ok, type Server, unknown, wrong } from "./check.ts";

/** Longer than the deliberate delay of a refused sign-in. */
const TIMEOUT_MS = 20_000;
const APPLY = `${PROGRAM} config apply`;
/** An address in an example domain (RFC 2606 section 3). The attempt stops before any content, so nothing is ever sent. */
const ELSEWHERE = "relay-test@example.com";
const WRONG_PASSWORD = "this is not the password of anybody";
const PLAIN = Buffer.from(`\0${NO_ACCOUNT}\0${WRONG_PASSWORD}`).toString("base64");

/** `sender`: the answer to MAIL FROM; if it is refused, RCPT TO proves nothing. `answer`: that to RCPT TO for someone else's domain. */
export function judgeRelay(sender: string, answer: string): Finding {
  if (!sender.startsWith("250"))
    return unknown(`Port 25 does not accept the sender: ${oneLine(sender.trim())}`, `${PROGRAM} status`);
  const says = oneLine(answer.trim());
  if (answer.startsWith("5")) return ok(`Mail for ${ELSEWHERE} is refused: ${says}`);
  if (answer.startsWith("4")) return unknown(`Mail for ${ELSEWHERE} is deferred: ${says}`, `${PROGRAM} status`);
  return wrong(`Port 25 accepts mail for ${ELSEWHERE} from a stranger: ${says}`, APPLY);
}

/** NO is a refusal (RFC 9051 section 6.2.3), and so is 535 (RFC 4954 section 6). */
export function judgeSignIn(door: string, answer: string): Finding {
  const says = oneLine(answer.trim().split("\r\n").at(-1) ?? "");
  if (/^(?:a NO|535)/m.test(answer)) return ok(`${door} refuses a wrong password: ${says}`);
  if (/^(?:a OK|235)/m.test(answer)) return wrong(`${door} accepts a wrong password: ${says}`, APPLY);
  return unknown(`${door} neither accepts nor refuses: ${says}`, `${PROGRAM} status`);
}

/** RFC 6409 section 4.3: submission requires a sign-in. */
function judgeAnonymous(answer: string): Finding {
  const says = oneLine(answer.trim());
  if (answer.startsWith("5")) return ok(`Submission refuses mail without a sign-in: ${says}`);
  if (answer.startsWith("2")) return wrong(`Submission accepts mail without a sign-in: ${says}`, APPLY);
  return unknown(`Submission defers mail without a sign-in: ${says}`, `${PROGRAM} status`);
}

/** RFC 5321 section 7.3 permits refusing VRFY; 252 reveals nothing either. */
function judgeNames(answer: string): Finding {
  const says = oneLine(answer.trim());
  if (/^25[01]/.test(answer)) return wrong(`Port 25 reveals which addresses exist: ${says}`, APPLY);
  return ok(`Port 25 does not reveal which addresses exist: ${says}`);
}

/** `offers`: the reply to EHLO where no password may be accepted. */
export function judgeOffers(door: string, offers: string, when: string): Finding {
  if (/^250[ -]AUTH\b/im.test(offers)) return wrong(`${door} offers AUTH ${when}.`, APPLY);
  return ok(`${door} offers no AUTH ${when}.`);
}

/** `isTls`: TLS starts with the connection. */
type Talk = Readonly<{ port: number; localAddress?: string; goodbye?: string; isTls?: boolean }>;

/** Runs a dialogue; if it fails, the result is unknown. */
export async function talk(
  { port, localAddress = PROBE_ADDRESS, goodbye = "QUIT", isTls = false }: Talk,
  say: (dialogue: PortDialogue) => Promise<Finding>,
): Promise<Finding> {
  try {
    const tls = isTls ? { rejectUnauthorized: false } : undefined;
    return await PortDialogue.run({ port, localAddress, tls, timeoutMs: TIMEOUT_MS }, goodbye, say);
  } catch (error) {
    return unknown(`Port ${port} ${messageOf(error)}.`, `${PROGRAM} check --only ports`);
  }
}

/** Returns the reply to EHLO. */
export async function hello(dialogue: PortDialogue): Promise<string> {
  await dialogue.hears(SMTP_REPLY);
  return dialogue.ask("EHLO probe.localhost");
}

async function greeted(dialogue: PortDialogue, isTls = false): Promise<string> {
  const offers = await hello(dialogue);
  if (isTls) return offers;
  await dialogue.ask("STARTTLS");
  await dialogue.startTls({ rejectUnauthorized: false });
  return dialogue.ask("EHLO probe.localhost");
}

function signIn({ settings }: Server, name: "submission" | "submissions"): Promise<Finding> {
  const isTls = name === "submissions";
  return talk({ port: settings[`ports.${name}`], isTls }, async (dialogue) => {
    await greeted(dialogue, isTls);
    return judgeSignIn(name, await dialogue.ask(`AUTH PLAIN ${PLAIN}`));
  });
}

export const mailFlow = {
  relay: check(
    `Tries as a stranger to send mail through port 25 to ${ELSEWHERE}, and stops before any content.`,
    ({ settings }) =>
      talk({ port: settings["ports.smtp"], localAddress: CHECK_ADDRESS }, async (dialogue) => {
        await dialogue.hears(SMTP_REPLY);
        await dialogue.ask("EHLO check.localhost");
        const sender = await dialogue.ask(`MAIL FROM:<postmaster@${settings.hostname}>`);
        const answer = await dialogue.ask(`RCPT TO:<${ELSEWHERE}>`);
        await dialogue.ask("RSET");
        return judgeRelay(sender, answer);
      }),
  ),
  anonymous: check(
    `Tries to send mail to ${ELSEWHERE} through submission without a sign-in, and stops before any content.`,
    ({ settings }) =>
      talk({ port: settings["ports.submission"], localAddress: CHECK_ADDRESS }, async (dialogue) => {
        await greeted(dialogue);
        const sender = await dialogue.ask(`MAIL FROM:<postmaster@${settings.hostname}>`);
        if (!sender.startsWith("250")) return judgeAnonymous(sender);
        return judgeAnonymous(await dialogue.ask(`RCPT TO:<${ELSEWHERE}>`));
      }),
  ),
  names: check("Asks port 25 whether an address exists (VRFY), which it must not reveal.", ({ settings }) =>
    talk({ port: settings["ports.smtp"] }, async (dialogue) => {
      await hello(dialogue);
      return judgeNames(await dialogue.ask(`VRFY postmaster@${settings.domains[0] ?? settings.hostname}`));
    }),
  ),
  // This port is for servers, which never sign in.
  "port-25": check("Checks whether port 25 accepts passwords after STARTTLS.", ({ settings }) =>
    talk({ port: settings["ports.smtp"] }, async (dialogue) =>
      judgeOffers("Port 25", await greeted(dialogue), "after STARTTLS"),
    ),
  ),
  "sign-in-imaps": check("Signs in over IMAPS with an unknown name and a wrong password.", ({ settings }) =>
    talk({ port: settings["ports.imaps"], goodbye: "b LOGOUT", isTls: true }, async (dialogue) => {
      await dialogue.hears(/^\* OK .*\r\n/m);
      const answer = await dialogue.ask(`a LOGIN ${NO_ACCOUNT} "${WRONG_PASSWORD}"`, /^a .*\r\n/m);
      return judgeSignIn("IMAPS", answer);
    }),
  ),
  "sign-in-submission": check("The same over submission, after STARTTLS.", (server) => signIn(server, "submission")),
  "sign-in-submissions": check("The same over submissions.", (server) => signIn(server, "submissions")),
};
