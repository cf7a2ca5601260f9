import assert from "node:assert/strict";
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";
import { authenticate, openSmtp, openSubmission, sendMail } from "./mail.ts";
import { SERVER } from "./network.ts";
import { WebClient } from "./web-client.ts";

type Offend = (from: string, wanted: Readonly<{ account: string; times: number }>) => Promise<void>;

/**
 * Offences by strangers for the jails that the GhostInbox document names. Each wrong password is used twice. The guard counts only
 * new ones, so a jail with the same limit reports first.
 */
export function jailOffences({ attacker }: Lab) {
  return {
    "postfix-auth": async (from, { account, times }) => {
      for (const password of passwords(times)) {
        using dialog = await openSubmission(attacker, from);
        assert.equal((await authenticate(dialog, account, password)).code, 535);
      }
    },

    /** Only if a block list names the client. */
    "postfix-rbl": async (from, { account, times }) => {
      const mail = { host: attacker, from, recipient: account };
      for (let i = 0; i < times; i++) assert.equal((await sendMail(mail)).code, 554);
    },

    /** With the rules of `scoreByOneRule`. */
    "postfix-spam": async (from, { account, times }) => {
      const text = "From: <someone@sender.test>\r\nSubject: spam\r\nX-Lab: refuse\r\n\r\nHello.";
      for (let i = 0; i < times; i++)
        assert.equal((await sendMail({ host: attacker, from, recipient: account, text })).code, 550);
    },

    "ghostinbox-smtp-abuse": async (from, { times }) => {
      for (let i = 0; i < times; i++) (await openSmtp(attacker, from, ["GET / HTTP/1.0"])).close();
    },

    "ghostinbox-dashboard": async (from, { times }) => {
      for (const password of passwords(times)) await guessDashboard(attacker, from, password);
    },
  } as const satisfies Readonly<Record<string, Offend>>;
}

/** A sign-in to the dashboard as the administrator. */
export async function guessDashboard(host: Host, from: string, password: string): Promise<void> {
  const web = await WebClient.from(host, { from, to: SERVER.v4, port: 3000 });
  await web.ask("POST", "/api/v1/login", { body: { password } });
}

function passwords(times: number): readonly string[] {
  return Array.from({ length: times }, (_, i) => `wrong ${Math.ceil(i / 2)}`);
}
