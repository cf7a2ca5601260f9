import { ANNA } from "./mail.ts";
import { NOBODY, UNPROVEN } from "./usual-visits.ts";
import type { Visit } from "./web-visits.ts";

const REFUSED = { answers: 409, code: "refused" } as const;
const ANNAS = `/api/v1/accounts/${ANNA}`;

/** Requests of the dashboard's pages that manage mail, accounts, settings and the sign-in, beyond `usualVisits`. */
export const managingVisits: Readonly<Record<string, readonly Visit[]>> = {
  "POST /api/v1/login/passkey": [{ answers: 200 }],
  "POST /api/v1/factors/totp/confirm": [{ body: { code: "000000" }, ...REFUSED }],
  "DELETE /api/v1/factors/totp": [REFUSED],
  "POST /api/v1/factors/recovery": [REFUSED],
  "POST /api/v1/factors/passkeys/confirm": [{ body: {}, answers: 400, code: "invalid_request" }],
  "DELETE /api/v1/factors/passkeys/{id}": [{ path: "/api/v1/factors/passkeys/AAAAAAAAAAAAAAAAAAAAAA", ...REFUSED }],

  "GET /api/v1/settings": [{ answers: 200 }],
  "POST /api/v1/settings/preview": [
    { body: { changes: { "limits.mail.per_minute": "7" } }, answers: 200 },
    { body: { changes: { "no.such_setting": "7" } }, answers: 200 },
  ],
  "POST /api/v1/settings": [
    { body: { changes: { "limits.mail.per_minute": "7" }, digest: "0".repeat(64) }, ...UNPROVEN },
  ],

  "POST /api/v1/queue/hold": [
    { body: { ids: ["4XyZ0123456789abc"] }, ...REFUSED },
    { body: { sender: NOBODY }, ...UNPROVEN },
  ],
  "POST /api/v1/queue/release": [
    { body: { ids: ["4XyZ0123456789abc"] }, ...REFUSED },
    { body: { sender: NOBODY }, ...UNPROVEN },
  ],
  "POST /api/v1/queue/flush": [{ body: { sender: NOBODY }, ...REFUSED }],
  "POST /api/v1/queue/delete": [{ body: { sender: NOBODY }, ...UNPROVEN }],
  "POST /api/v1/queue/return": [{ body: { sender: NOBODY }, ...UNPROVEN }],
  "GET /api/v1/held": [{ answers: 200 }, { path: `/api/v1/held?account=${ANNA}`, answers: 200 }],
  "POST /api/v1/greylist/pauses": [
    { body: { recipient: ANNA, for: "10m" }, answers: 201 },
    { body: { recipient: NOBODY }, ...REFUSED },
  ],
  "DELETE /api/v1/greylist/pauses/{recipient}": [
    { path: `/api/v1/greylist/pauses/${ANNA}`, answers: 200 },
    { path: `/api/v1/greylist/pauses/${ANNA}`, ...REFUSED },
  ],
  "GET /api/v1/greylist/waiting": [{ answers: 200 }],
  "GET /api/v1/spam": [{ answers: 200 }],
  "POST /api/v1/spam/senders": [
    { body: { account: ANNA, sender: "friend@elsewhere.test" }, answers: 201 },
    { body: { account: NOBODY, sender: "friend@elsewhere.test" }, ...REFUSED },
  ],
  "DELETE /api/v1/spam/senders": [
    { path: `/api/v1/spam/senders?account=${ANNA}&sender=friend@elsewhere.test`, answers: 200 },
  ],

  "GET /api/v1/audit": [{ path: "/api/v1/audit?limit=100", answers: 200 }],

  "POST /api/v1/accounts": [{ body: { name: NOBODY }, ...UNPROVEN }],
  "POST /api/v1/accounts/import": [{ body: { file: `${NOBODY}|{PLAIN}a long password\n` }, ...UNPROVEN }],
  "POST /api/v1/accounts/{name}/password": [{ path: `${ANNAS}/password`, body: {}, ...UNPROVEN }],
  // The first account gets the alerts.
  "POST /api/v1/accounts/{name}/suspend": [{ path: `${ANNAS}/suspend`, ...REFUSED }],
  "DELETE /api/v1/accounts/{name}/app-passwords/{id}": [
    { path: `${ANNAS}/app-passwords/phone`, ...REFUSED },
    { path: `${ANNAS}/app-passwords/phone?dry_run=true`, ...REFUSED },
  ],
};

const SENDER = "*@friend.example";

/** Requests of a mailbox's page, beyond `usualVisits`. `queueId`: that of a mail to the user. */
export const mailboxVisits = (queueId: string): Readonly<Record<string, readonly Visit[]>> => ({
  "GET /api/v1/me/sign-ins": [{ answers: 200 }, { path: "/api/v1/me/sign-ins?limit=1", answers: 200 }],
  "GET /api/v1/me/mail": [
    { path: `/api/v1/me/mail?id=${queueId}`, answers: 200 },
    { path: "/api/v1/me/mail?id=%3Cnever@was.test%3E", answers: 404, code: "not_found" },
  ],
  "GET /api/v1/me/client": [{ answers: 200 }],
  "GET /api/v1/me/client.mobileconfig": [{ answers: 200 }],
  "POST /api/v1/me/password": [{ body: { password: "short" }, answers: 400, code: "invalid_request" }],
  "DELETE /api/v1/me/senders": [
    { path: `/api/v1/me/senders?sender=${SENDER}`, answers: 200 },
    { path: `/api/v1/me/senders?sender=${SENDER}`, ...REFUSED },
  ],
  "DELETE /api/v1/me/greylist-pause": [{ answers: 200 }, REFUSED],
  "POST /api/v1/me/app-passwords": [
    { body: { name: "phone" }, answers: 201 },
    { body: { name: "phone" }, ...REFUSED },
  ],
  "DELETE /api/v1/me/app-passwords/{id}": [
    { path: "/api/v1/me/app-passwords/phone", answers: 200 },
    { path: "/api/v1/me/app-passwords/phone", ...REFUSED },
  ],
  "PUT /api/v1/me/forwarding": [
    // The account gets the alerts, which must not leave the server.
    { body: { to: ["anna@elsewhere.test"], keep: true }, ...REFUSED },
    { body: { to: ["nobody@example.test"], keep: true }, ...REFUSED },
  ],
  "PUT /api/v1/me/vacation": [{ body: { text: "I am away." }, answers: 200 }],
});
