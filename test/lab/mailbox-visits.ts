import type { Visit } from "./web-visits.ts";

const REFUSED = { answers: 409, code: "refused" } as const;
const SENDER = "*@friend.example";

/** Requests of a mailbox's page, beyond `usualVisits`. `queueId`: of a mail that the user got. */
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
  "POST /api/v1/me/greylist-pause": [{ body: { for: "15m" }, answers: 200 }],
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
