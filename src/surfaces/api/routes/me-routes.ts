import * as z from "zod";
import { ownMail, signIns } from "../../../admin/declare/items.ts";
import { PAGE } from "../../../admin/declare/paging.ts";
import { MAX_PASSWORD_BYTES } from "../../../core/access/passwords.ts";
import { parseAccountName } from "../../../core/net/address.ts";
import type { ApiParts } from "../ports.ts";
import { problem, unauthorized } from "../problem.ts";
import { type Route, route, sendToGuard } from "../route.ts";
import { whyRefused } from "./account-routes.ts";
import { clientText, MOBILE_CONFIG_TYPE, mobileConfig } from "./mobile-config.ts";
import { numberedQuery, textUpTo } from "./schemas.ts";

const mailQuery = z.object({
  id: textUpTo(998, "is missing")
    .min(1, "is empty")
    .describe("A Message-ID, with or without its brackets, or a queue id."),
});
const newPassword = z.strictObject({
  password: textUpTo(MAX_PASSWORD_BYTES, "is missing, or not text").min(1, "is empty"),
});
const done = z.object({ done: z.literal(true) });

const door = z.object({ host: z.string(), port: z.number().int(), tls: z.literal("implicit") });
const client = z.object({
  account: z.string(),
  imap: door,
  smtp: door,
  text: z.string().describe("The step in words."),
});

/** The routes of `/me` that are not derived from `src/admin/mailboxes.ts`. The account always comes from the session, not the request. */
export function meRoutes(parts: ApiParts): readonly Route[] {
  const { guard, lookups } = parts;
  const common = { who: "session", needs: "mailbox" } as const;
  return [
    route("GET /api/v1/me/sign-ins", {
      says: "Sign-ins to the mailbox by any protocol, successful and failed, newest first, a page at a time.",
      ...common,
      asks: "my_addresses",
      query: numberedQuery,
      answer: signIns(),
      run: async (call) => {
        const { limit = PAGE.usual, cursor = null } = call.query;
        const reader = await sendToGuard(guard, call, { verb: "my_addresses" }, (own) => own);
        return reader instanceof Response ? reader : lookups.ask("ownSignIns", reader, { limit, cursor });
      },
    }),
    route("GET /api/v1/me/mail", {
      says: "What happened to one mail that the user sent, or that was sent to the user.",
      ...common,
      asks: "my_addresses",
      query: mailQuery,
      answer: ownMail(),
      run: async (call) => {
        const reader = await sendToGuard(guard, call, { verb: "my_addresses" }, (own) => own);
        if (reader instanceof Response) return reader;
        return (await lookups.ask("ownMail", reader, call.query.id)) ?? NO_MAIL();
      },
    }),
    route("GET /api/v1/me/client", {
      says: "The settings to type into a mail program.",
      ...common,
      asks: "my_client",
      answer: client,
      run: (call) =>
        sendToGuard(guard, call, { verb: "my_client" }, (own) => ({
          account: own.account,
          imap: { host: own.host, port: own.imapPort, tls: "implicit" as const },
          smtp: { host: own.host, port: own.smtpPort, tls: "implicit" as const },
          text: clientText(own),
        })),
    }),
    route("GET /api/v1/me/client.mobileconfig", {
      says: "The settings for a mail program as a profile for iPhone, iPad and Mac, without a password.",
      ...common,
      asks: "my_client",
      type: MOBILE_CONFIG_TYPE,
      run: (call) =>
        sendToGuard(guard, call, { verb: "my_client" }, (own) => {
          const headers = { "content-type": MOBILE_CONFIG_TYPE, "content-disposition": ATTACHED };
          return new Response(mobileConfig(own), { headers });
        }),
    }),
    route("POST /api/v1/me/password", {
      says: "Sets a new password for the mailbox, and ends its other sessions, including those of mail programs.",
      ...common,
      asks: "my_password",
      body: newPassword,
      answer: done,
      run: async (call) => {
        const owner = parseAccountName(call.caller?.account ?? "");
        if (owner === null) return unauthorized();
        const asked = { verb: "my_password", ...call.body } as const;
        const refused = await whyRefused(parts, call, asked, owner);
        return refused ?? sendToGuard(guard, call, asked, (result) => result);
      },
    }),
  ];
}

const ATTACHED = 'attachment; filename="mailbox.mobileconfig"';

/** The same answer for other people's mail and for mail that never existed. */
const NO_MAIL = () =>
  problem("not_found", "No mail of yours has this id.", {
    next: "Check the id: a mail program shows it as Message-ID, in the source of the mail.",
  });
