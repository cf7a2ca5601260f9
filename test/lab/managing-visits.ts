import { ANNA, nonsense, type Visit, WRONG_BODIES } from "./web-visits.ts";

/** Lasting changes need the password again, which a token cannot give. */
const UNPROVEN = { answers: 403, code: "proof_needed" } as const;
const REFUSED = { answers: 409, code: "refused" } as const;
const NOBODY = "nobody@example.test";
/** The body may be large. */
const NO_CHOICE = WRONG_BODIES.filter(({ answers }) => answers === 400);
const HELD = `/api/v1/held/${ANNA}`;
const ANNAS = `/api/v1/accounts/${ANNA}`;
const NOBODYS = `/api/v1/accounts/${NOBODY}`;
const NOT_FOUND = { answers: 404, code: "not_found" } as const;
const SALES = "sales@example.test";

/** Valid and invalid requests of the dashboard's pages that manage mail, accounts, settings and the sign-in. */
export const managingVisits: Readonly<Record<string, readonly Visit[]>> = {
  "POST /api/v1/login/passkey": [{ answers: 200 }],
  "GET /api/v1/factors": [{ answers: 200 }],
  "POST /api/v1/factors/totp": [{ answers: 200 }],
  "POST /api/v1/factors/totp/confirm": [{ body: { code: "000000" }, ...REFUSED }, ...WRONG_BODIES],
  "DELETE /api/v1/factors/totp": [REFUSED],
  "POST /api/v1/factors/recovery": [REFUSED],
  "GET /api/v1/factors/passkeys": [{ answers: 200 }],
  "POST /api/v1/factors/passkeys": [{ answers: 200 }],
  "POST /api/v1/factors/passkeys/confirm": WRONG_BODIES,
  "DELETE /api/v1/factors/passkeys/{id}": [{ path: "/api/v1/factors/passkeys/AAAAAAAAAAAAAAAAAAAAAA", ...REFUSED }],

  "GET /api/v1/settings": [{ answers: 200 }],
  "POST /api/v1/settings/preview": [
    { body: { changes: { "limits.mail.per_minute": "7" } }, answers: 200 },
    { body: { changes: { "no.such_setting": "7" } }, answers: 200 },
    ...NO_CHOICE,
  ],
  "POST /api/v1/settings": [
    { body: { changes: { "limits.mail.per_minute": "7" }, digest: "0".repeat(64) }, ...UNPROVEN },
    ...NO_CHOICE,
  ],
  "POST /api/v1/settings/undo": [{ body: { digest: "0".repeat(64) }, ...UNPROVEN }, ...NO_CHOICE],

  "GET /api/v1/queue": [{ answers: 200 }, nonsense("/api/v1/queue?state=lost")],
  "POST /api/v1/queue/hold": [
    { body: { ids: ["4XyZ0123456789abc"] }, ...REFUSED },
    { body: { sender: NOBODY }, ...UNPROVEN },
    ...WRONG_BODIES,
  ],
  "POST /api/v1/queue/release": [{ body: { sender: NOBODY }, ...REFUSED }, ...WRONG_BODIES],
  "POST /api/v1/queue/flush": [{ body: { sender: NOBODY }, ...REFUSED }, ...WRONG_BODIES],
  "POST /api/v1/queue/delete": [{ body: { sender: NOBODY }, ...UNPROVEN }, ...WRONG_BODIES],
  "POST /api/v1/queue/return": [{ body: { sender: NOBODY }, ...UNPROVEN }, ...WRONG_BODIES],
  "GET /api/v1/held": [{ answers: 200 }, { path: `/api/v1/held?account=${ANNA}`, answers: 200 }],
  "POST /api/v1/held/{account}/release": [{ path: `${HELD}/release`, ...UNPROVEN }],
  "POST /api/v1/held/{account}/drop": [{ path: `${HELD}/drop`, body: {}, ...UNPROVEN }],
  "GET /api/v1/greylist/pauses": [{ answers: 200 }],
  "POST /api/v1/greylist/pauses": [
    { body: { recipient: ANNA, for: "10m" }, answers: 201 },
    { body: { recipient: NOBODY }, ...REFUSED },
    ...WRONG_BODIES,
  ],
  "DELETE /api/v1/greylist/pauses/{recipient}": [
    { path: `/api/v1/greylist/pauses/${ANNA}`, answers: 200 },
    { path: `/api/v1/greylist/pauses/${ANNA}`, ...REFUSED },
    nonsense("/api/v1/greylist/pauses/nobody"),
  ],
  "GET /api/v1/greylist/waiting": [{ answers: 200 }],
  "GET /api/v1/spam": [{ answers: 200 }],
  "GET /api/v1/spam/senders": [{ answers: 200 }],
  "POST /api/v1/spam/senders": [
    { body: { account: ANNA, sender: "friend@elsewhere.test" }, answers: 201 },
    { body: { account: NOBODY, sender: "friend@elsewhere.test" }, ...REFUSED },
    ...WRONG_BODIES,
  ],
  "DELETE /api/v1/spam/senders": [
    { path: `/api/v1/spam/senders?account=${ANNA}&sender=friend@elsewhere.test`, answers: 200 },
    nonsense("/api/v1/spam/senders"),
  ],

  "GET /api/v1/alerts": [{ answers: 200 }],
  "POST /api/v1/alerts/test": [{ answers: 200 }],
  "GET /api/v1/upkeep": [{ answers: 200 }],
  "GET /api/v1/audit": [{ path: "/api/v1/audit?limit=100", answers: 200 }, nonsense("/api/v1/audit?cursor=last")],
  "GET /api/v1/audit/verify": [{ answers: 200 }],
  "GET /api/v1/incidents": [{ answers: 200 }],
  "GET /api/v1/firewall": [{ answers: 200 }],
  "GET /api/v1/retention": [{ answers: 200 }],
  "GET /api/v1/encryption": [{ answers: 200 }],
  "GET /api/v1/fail2ban": [{ answers: 200 }],
  "GET /api/v1/checks": [{ answers: 200 }],
  "GET /api/v1/certificate": [{ answers: 200 }],
  "GET /api/v1/dns": [{ answers: 200 }],

  "GET /api/v1/accounts": [{ answers: 200 }, nonsense("/api/v1/accounts?limit=0")],
  "GET /api/v1/access": [{ answers: 200 }, nonsense("/api/v1/access?limit=101")],
  "GET /api/v1/accounts/{name}": [
    { path: ANNAS, answers: 200 },
    { path: NOBODYS, ...NOT_FOUND },
    nonsense("/api/v1/accounts/nobody"),
  ],
  "POST /api/v1/accounts": [{ body: { name: NOBODY }, ...UNPROVEN }, ...WRONG_BODIES],
  "POST /api/v1/accounts/import": [
    { body: { file: `${NOBODY}|{PLAIN}a long password\n` }, ...UNPROVEN },
    { body: { file: `${NOBODY}|no hash\n` }, answers: 400, code: "invalid_request" },
  ],
  "POST /api/v1/accounts/{name}/password": [{ path: `${ANNAS}/password`, body: {}, ...UNPROVEN }],
  // The first account gets the alerts.
  "POST /api/v1/accounts/{name}/suspend": [{ path: `${ANNAS}/suspend`, ...REFUSED }],
  "POST /api/v1/accounts/{name}/resume": [{ path: `${ANNAS}/resume`, ...UNPROVEN }],
  "PUT /api/v1/accounts/{name}/quota": [
    { path: `${ANNAS}/quota`, body: { quotaBytes: 1024 ** 3 }, answers: 200 },
    { path: `${ANNAS}/quota`, body: { quotaBytes: -1 }, answers: 400, code: "invalid_request" },
  ],
  "POST /api/v1/accounts/{name}/networks": [
    { path: `${ANNAS}/networks`, body: { networks: ["203.0.113.0/24"] }, ...UNPROVEN },
  ],
  "DELETE /api/v1/accounts/{name}/networks/{network}": [{ path: `${ANNAS}/networks/203.0.113.0/24`, ...UNPROVEN }],
  "GET /api/v1/accounts/{name}/app-passwords": [
    { path: `${ANNAS}/app-passwords`, answers: 200 },
    { path: `${NOBODYS}/app-passwords`, ...NOT_FOUND },
  ],
  "POST /api/v1/accounts/{name}/app-passwords": [
    { path: `${ANNAS}/app-passwords`, body: { name: "phone" }, ...UNPROVEN },
    { path: `${ANNAS}/app-passwords`, body: {}, answers: 400, code: "invalid_request" },
  ],
  "DELETE /api/v1/accounts/{name}/app-passwords/{id}": [
    { path: `${ANNAS}/app-passwords/phone`, ...REFUSED },
    { path: `${ANNAS}/app-passwords/phone?dry_run=true`, ...REFUSED },
  ],
  "GET /api/v1/accounts/{name}/forwarding": [
    { path: `${ANNAS}/forwarding`, answers: 200 },
    { path: `${NOBODYS}/forwarding`, ...NOT_FOUND },
  ],
  "PUT /api/v1/accounts/{name}/forwarding": [
    { path: `${ANNAS}/forwarding`, body: { to: ["anna@elsewhere.test"], keep: true }, ...UNPROVEN },
    { path: `${ANNAS}/forwarding`, body: { to: [], keep: true }, answers: 400, code: "invalid_request" },
  ],
  "DELETE /api/v1/accounts/{name}/forwarding": [{ path: `${ANNAS}/forwarding`, ...UNPROVEN }],
  "GET /api/v1/accounts/{name}/vacation": [
    { path: `${ANNAS}/vacation`, answers: 200 },
    { path: `${NOBODYS}/vacation`, ...NOT_FOUND },
  ],
  "PUT /api/v1/accounts/{name}/vacation": [
    { path: `${ANNAS}/vacation`, body: { text: "I am away." }, ...UNPROVEN },
    { path: `${ANNAS}/vacation`, body: {}, answers: 400, code: "invalid_request" },
  ],
  "DELETE /api/v1/accounts/{name}/vacation": [{ path: `${ANNAS}/vacation`, ...UNPROVEN }],
  "DELETE /api/v1/accounts/{name}": [{ path: ANNAS, ...UNPROVEN }],
  "GET /api/v1/aliases": [{ answers: 200 }],
  "POST /api/v1/aliases": [{ body: { address: SALES, targets: [ANNA] }, ...UNPROVEN }, ...NO_CHOICE],
  "POST /api/v1/aliases/{address}/block": [{ path: `/api/v1/aliases/${SALES}/block`, ...UNPROVEN }],
  "POST /api/v1/aliases/{address}/unblock": [{ path: `/api/v1/aliases/${SALES}/unblock`, ...UNPROVEN }],
  "DELETE /api/v1/aliases/{address}": [{ path: `/api/v1/aliases/${SALES}`, ...UNPROVEN }],
};
