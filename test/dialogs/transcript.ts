import { type Dialog, openDialog, type SmtpReply } from "../lab/dialog.ts";
import type { Lab } from "../lab/lab.ts";
import { serverFor } from "../lab/mail.ts";
import { PASSWORD } from "../lab/product.ts";

/**
 * A transcript of an SMTP session, played against the running server. One step a line:
 *
 *     # a comment
 *     from sender 198.51.100.70 to 25      connects; `to 465 tls` speaks TLS at once
 *     S: 250 *                             the next reply has this code, and a line that matches (`*`: any text)
 *     + STARTTLS                           the same reply has a line that matches
 *     - AUTH*                              and none that matches this
 *     C: EHLO client.test                  sends the line; `{a*1200}` in it stands for 1,200 times a
 *     EHLO client.test -> 250 *            sends the line, and gets this reply
 *     R: EHLO a.test\r\nNOOP\r\n           sends just these bytes, in one piece
 *     50x C: RCPT TO:<anna+{n}@a.test>     the same 50 times, `{n}` counting from 1; likewise `50x S: 250 *`
 *     tls                                  the TLS handshake, after the server's 220
 *     auth anna@example.test right         AUTH PLAIN with her password, or with a wrong one: `auth … wrong -> 535 *`
 *     closed                               the server hangs up
 *
 * The steps of most sessions have short forms, which expect the usual answers of the server:
 *
 *     from sender 198.51.100.70 to 25 as client.test      connects, is greeted, and says EHLO
 *     mail <a@sender.test> to <b@example.test>            a sender, with a recipient or without, who are taken
 *     delivers                                            DATA and a short mail, which is queued
 *     smuggles \n.\n                                       a mail, these bytes, and another mail: one mail is queued
 *     quit                                                QUIT, and the server hangs up
 */
export type Step =
  | Readonly<{ type: "connect"; host: "server" | "sender" | "attacker"; from: string; port: number; tls: boolean }>
  | Readonly<{ type: "send"; text: string }>
  | Readonly<{ type: "raw"; text: string }>
  | Readonly<{ type: "reply"; code: number; pattern: string; also: readonly string[]; never: readonly string[] }>
  | Readonly<{ type: "auth"; name: string; right: boolean }>
  | Readonly<{ type: "tls" }>
  | Readonly<{ type: "closed" }>;

/** Throws with the number of the first line that is not a step. */
export function parseTranscript(text: string): readonly Step[] {
  const steps: Step[] = [];
  const lines = text.split("\n").flatMap((line, i) => spelledOut(line).map((one) => [i, one] as const));
  for (const [i, line] of lines) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const last = steps.at(-1);
    const more = /^([+-]) (.+)$/.exec(line);
    if (more !== null && last?.type === "reply") {
      const list = more[1] === "+" ? "also" : "never";
      steps[steps.length - 1] = { ...last, [list]: [...last[list], more[2] ?? ""] };
      continue;
    }
    const [, times = "1", text = ""] = /^(?:(\d{1,4})x )?(.*)$/.exec(line) ?? [];
    for (let n = 1; n <= Number(times); n++) {
      const step = parseStep(text.replaceAll("{n}", String(n)));
      if (step === null) throw new Error(`line ${i + 1} is not a step: ${line}`);
      steps.push(step);
    }
  }
  return steps;
}

function spelledOut(line: string): readonly string[] {
  const [, connects, name] = /^(from .*) as (\S+)$/.exec(line) ?? [];
  if (connects !== undefined) return [connects, "S: 220 *", `C: EHLO ${name}`, "S: 250 mail.example.test"];
  const [, sender, recipient] = /^mail (<\S*>)(?: to (<\S+>))?$/.exec(line) ?? [];
  if (sender !== undefined) {
    const to = recipient === undefined ? [] : [`C: RCPT TO:${recipient}`, "S: 250 *"];
    return [`C: MAIL FROM:${sender}`, "S: 250 *", ...to];
  }
  const [, command, answer] = /^(.+) -> (\d{3} .*)$/.exec(line) ?? [];
  if (command !== undefined) return [command.startsWith("auth ") ? command : `C: ${command}`, `S: ${answer}`];
  const [, end] = /^smuggles (\S+)$/.exec(line) ?? [];
  if (end !== undefined)
    return ["C: DATA", "S: 354 *", mailWith(end), "S: 250 *queued*", "C: NOOP", "S: 250 2.0.0 Ok", ...QUIT];
  return SPELLED_OUT[line] ?? [line];
}

/** Sends a mail with these bytes between it and the commands of another mail. */
function mailWith(end: string): string {
  const [head, text] = [String.raw`From: <someone@sender.test>\r\nSubject: `, String.raw`\r\n\r\nHello.`];
  const commands = String.raw`MAIL FROM:<admin@sender.test>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n`;
  return String.raw`R: ${head}outer${text}${end}${commands}${head}smuggled${text}\r\n.\r\n`;
}

const QUIT = ["C: QUIT", "S: 221 *", "closed"];
const SPELLED_OUT: Readonly<Record<string, readonly string[]>> = {
  delivers: [
    "C: DATA",
    "S: 354 *",
    "C: From: <someone@sender.test>",
    "C: Subject: x",
    "C:",
    "C: Hello.",
    "C: .",
    "S: 250 *queued*",
  ],
  quit: QUIT,
};

function parseStep(line: string): Step | null {
  const connect = /^from (\w+) (\S+) to (\d+)( tls)?$/.exec(line);
  if (connect !== null) {
    const host = (["server", "sender", "attacker"] as const).find((name) => name === connect[1]);
    if (host === undefined) return null;
    return { type: "connect", host, from: connect[2] ?? "", port: Number(connect[3]), tls: connect[4] !== undefined };
  }
  const reply = /^S: (\d{3}) (.*)$/.exec(line);
  if (reply !== null) return { type: "reply", code: Number(reply[1]), pattern: reply[2] ?? "", also: [], never: [] };
  const auth = /^auth (\S+) (right|wrong)$/.exec(line);
  if (auth !== null) return { type: "auth", name: auth[1] ?? "", right: auth[2] === "right" };
  if (line.startsWith("C: ")) return { type: "send", text: repeated(line.slice(3)) };
  if (line.startsWith("R: ")) return { type: "raw", text: unescaped(repeated(line.slice(3))) };
  if (line === "C:") return { type: "send", text: "" };
  if (line === "tls" || line === "closed") return { type: line };
  return null;
}

function repeated(text: string): string {
  return text.replace(/\{(.)\*(\d{1,6})\}/g, (_, character: string, times: string) => character.repeat(Number(times)));
}

function unescaped(text: string): string {
  return text.replace(/\\(r|n|0)/g, (_, name: string) => (name === "r" ? "\r" : name === "n" ? "\n" : "\0"));
}

/** Plays the steps; throws at the first that does not go as written, with what was said until then. */
export async function play(lab: Lab, steps: readonly Step[]): Promise<void> {
  let dialog: Dialog | null = null;
  try {
    for (const step of steps) {
      if (step.type === "connect") {
        dialog?.close();
        const to = step.host === "server" ? step.from : serverFor(step.from);
        dialog = await openDialog(lab[step.host], { ...step, to });
      } else if (dialog === null) throw new Error("a transcript starts with `from … to …`");
      else await playStep(dialog, step);
    }
  } finally {
    dialog?.close();
  }
}

async function playStep(dialog: Dialog, step: Exclude<Step, { type: "connect" }>): Promise<void> {
  switch (step.type) {
    case "send":
      return dialog.send(step.text);
    case "raw":
      return dialog.sendRaw(step.text);
    case "tls":
      return dialog.startTls();
    case "closed":
      return dialog.closed();
    case "auth": {
      const password = step.right ? PASSWORD : "no password of anybody";
      return dialog.send(`AUTH PLAIN ${Buffer.from(`\0${step.name}\0${password}`).toString("base64")}`);
    }
    case "reply": {
      const wrong = whatIsWrong(await dialog.reply(), step);
      if (wrong !== null) throw new Error(`${wrong}\n${dialog.transcript.join("\n")}`);
    }
  }
}

function whatIsWrong(reply: SmtpReply, expected: Extract<Step, { type: "reply" }>): string | null {
  const has = (pattern: string): boolean => reply.lines.some((line) => matches(pattern, line));
  if (reply.code !== expected.code) return `expected ${expected.code}, got ${reply.code}`;
  const missing = [expected.pattern, ...expected.also].find((pattern) => !has(pattern));
  if (missing !== undefined) return `no line of the reply is: ${missing}`;
  const unwanted = expected.never.find(has);
  return unwanted === undefined ? null : `a line of the reply is: ${unwanted}`;
}

function matches(pattern: string, line: string): boolean {
  const parts = pattern.split("*").map((part) => RegExp.escape(part));
  return new RegExp(`^${parts.join(".*")}$`, "i").test(line);
}
