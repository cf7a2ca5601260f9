import { argon2Sync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { type Broken, findEach } from "../../../../test/kit/broken-check.ts";
import { CHECKED_AT, type CheckedParts, printing } from "../../../../test/kit/checked-server.ts";
import type { Alone, OfFiles, OfNetwork } from "../../../../test/kit/checks-in-product.ts";
import { listenOnPort } from "../../../../test/kit/local-server.ts";
import { WELL } from "../../../../test/kit/samples.ts";
import type { AccountItem, Health } from "../../../admin/declare/items.ts";
import type { ListedMail } from "../../../admin/declare/keeper.ts";
import { DAY_MS, HOUR_MS } from "../../../core/time.ts";

/** Cheap to verify. */
const CHEAP = { memory: 8, passes: 1, parallelism: 1 } as const;

/** Broken inputs for each check; `OfNetwork` and `OfFiles` have the others. */
const BROKEN: Readonly<Record<Exclude<Alone, OfNetwork | OfFiles>, Broken>> = {
  "passwords.dashboard": {
    state: "wrong",
    saw: /well-known passwords opens the dashboard/,
    server: () => ({ reader: { dashboardPassword: () => hashOf("changeme123") } }),
  },
  "passwords.accounts": {
    state: "unknown",
    saw: /1 imported account are known/,
    server: () => ({ reader: accounts({ origin: "imported" }) }),
  },
  "passwords.guessable": {
    state: "wrong",
    saw: /anna@example\.org/,
    server: () => ({ reader: { ...accounts({ origin: "imported" }), accountPassword: () => hashOf("anna123") } }),
  },
  "passwords.api": {
    state: "wrong",
    saw: /answers without a password or token \(200\)/,
    server: async () => ({
      settings: { "ports.http": await listenOnPort(createServer((_, answer) => answer.end("{}"))) },
    }),
  },
  "passwords.environment": {
    state: "warning",
    saw: /ADMIN_PASSWORD is set/,
    server: () => ({ env: { ADMIN_PASSWORD: "x" } }),
  },

  "firewall.table": {
    state: "wrong",
    saw: /has no table/,
    server: () => ({ machine: printing("", 1) }),
  },
  "firewall.open-ports": {
    state: "wrong",
    saw: /strict is set but NOT IN FORCE/,
    server: () => ({
      settings: { "firewall.mode": "strict" },
      machine: { run: () => Promise.resolve({ code: 1, stdout: "", stderr: "Error: No such file or directory" }) },
    }),
  },
  "firewall.inner-port": {
    state: "wrong",
    saw: /any user can reach port 10025/,
    server: () => ({ machine: printing("") }),
  },
  "firewall.other-tables": {
    state: "unknown",
    saw: /ip filter/,
    server: () => ({
      machine: printing(
        "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n",
      ),
    }),
  },

  "accounts.postmaster": {
    state: "wrong",
    saw: /No account could read mail for postmaster/,
    server: () => ({ reader: accounts({ suspended: true }) }),
  },
  "accounts.unused": {
    state: "warning",
    saw: /anna@example\.org \(never\)/,
    server: () => ({ reader: accounts({ createdAt: new Date(CHECKED_AT - 91 * DAY_MS).toISOString() }) }),
  },
  "accounts.held": {
    state: "warning",
    saw: /anna@example\.org/,
    server: () => ({ answers: { held_list: { accounts: [{ account: "anna@example.org" }] } } }),
  },
  "accounts.keys": {
    state: "warning",
    saw: /^Older mail is locked, .*: anna@example\.org\.$/,
    server: () => ({ reader: { countKeys: () => ({ own: 1, without: [], ofFile: 0, closed: ["anna@example.org"] }) } }),
  },

  "components.services": {
    state: "wrong",
    saw: /postfix is down \(it ended\)/,
    server: () => ({
      health: health({ components: [{ name: "postfix", status: "down", detail: "it ended" }] }),
    }),
  },
  "components.notices": {
    state: "warning",
    saw: /backup_failed: It failed/,
    server: () => ({
      health: health({
        notices: [{ code: "backup_failed", since: "", says: "It failed.", detail: "", next: "backup create" }],
      }),
    }),
  },

  "disk.space": { state: "wrong", saw: /1\.0 GB of 100\.0 GB are free/, server: () => room({ free: 1e9, all: 1e11 }) },
  "disk.inodes": {
    state: "wrong",
    saw: /1000000000 of 100000000000 inodes/,
    server: () => room({ free: 1e9, all: 1e11 }),
  },
  "disk.mount": {
    state: "wrong",
    saw: /The disk at \/ \(ext4\) is read-only/,
    server: () => ({ machine: { mounts: () => "1 0 8:1 / / ro - ext4 /dev/sda1 rw\n" } }),
  },

  "queue.age": {
    state: "warning",
    saw: /4Wxyz, 7 h/,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- reading any other field fails
    server: () => queue({ queue: [{ id: "4Wxyz", at: CHECKED_AT - 7 * HOUR_MS } as ListedMail] }),
  },
  "queue.hold": { state: "warning", saw: /2 mails on hold/, server: () => queue({ total: 2 }) },
  "queue.length": { state: "warning", saw: /501 mails/, server: () => queue({ total: 501 }) },

  "bans.allow-list": {
    state: "warning",
    saw: /0\.0\.0\.0\/0/,
    server: () => {
      const pages = [
        { items: [], next: "1" },
        { items: [{ prefix: "0.0.0.0/0", note: "" }], next: null },
      ];
      return {
        answers: {
          get allow_list() {
            return pages.shift();
          },
        },
      };
    },
  },

  "alerts.outside": {
    state: "warning",
    saw: /only to a mailbox on this server \(email\)/,
    server: () => channels(null, false),
  },
  "alerts.channels": { state: "wrong", saw: /email fails: refused/, server: () => channels("refused", true) },
  "alerts.test": {
    state: "wrong",
    saw: /ntfy rejected it: 403/,
    server: () => ({
      sendsTest: true,
      answers: { alerts_test: { results: [{ channel: "ntfy", ok: false, detail: "403" }] } },
    }),
  },
};

findEach(BROKEN);

function hashOf(password: string): string {
  const salt = randomBytes(16);
  const tag = argon2Sync("argon2id", { message: password, nonce: salt, tagLength: 32, ...CHEAP });
  const text = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "");
  return `{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$${text(salt)}$${text(tag)}`;
}

/** One account that differs from the default in these fields. */
function accounts(change: Partial<AccountItem>): NonNullable<CheckedParts["reader"]> {
  const createdAt = new Date(CHECKED_AT - DAY_MS).toISOString();
  const one = {
    name: "anna@example.org",
    suspended: false,
    origin: "command",
    networks: [],
    quotaBytes: null,
  } as const;
  const items = [{ ...one, createdAt, lastSignInAt: null, ...change }];
  return {
    accounts: () => ({ items, next: null, total: 1 }),
    aliases: () => ({ items: [], next: null, total: 0 }),
  };
}

function health(change: Partial<Health>): () => Promise<Health> {
  return () => Promise.resolve({ ...WELL, ...change });
}

function room(room: Readonly<{ free: number; all: number }>): CheckedParts {
  return { machine: { room: () => ({ bytes: room, inodes: room }) } };
}

function queue(answer: Readonly<{ queue?: readonly ListedMail[]; total?: number }>): CheckedParts {
  return { keeper: () => ({ ok: true, detail: "", ...answer }) };
}

function channels(failing: string | null, leadOut: boolean): CheckedParts {
  const list = { items: [], next: null, total: 0, channels: [{ name: "email", failing }], leadOut };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- reading any other field fails
  return { alerts: () => Promise.resolve(list as never) };
}
