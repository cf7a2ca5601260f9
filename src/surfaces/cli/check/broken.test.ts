import { argon2Sync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { type Broken, findEach, unknown, warning, wrong } from "../../../../test/kit/broken-check.ts";
import { CHECKED_AT, type CheckedParts, printing } from "../../../../test/kit/checked-server.ts";
import type { Alone, OfFiles, OfNetwork } from "../../../../test/kit/checks-in-product.ts";
import { listenOnPort } from "../../../../test/kit/local-server.ts";
import { WELL } from "../../../../test/kit/samples.ts";
import type { AccountItem, Health } from "../../../admin/declare/items.ts";
import type { ListedMail } from "../../../admin/declare/keeper.ts";
import { DAY_MS, HOUR_MS } from "../../../core/time.ts";

/** Broken inputs for each check; `OfNetwork` and `OfFiles` have the others. */
const BROKEN: Readonly<Record<Exclude<Alone, OfNetwork | OfFiles>, Broken>> = {
  "passwords.dashboard": wrong(/well-known passwords opens the dashboard/, () => ({
    reader: { dashboardPassword: () => hashOf("changeme123") },
  })),
  "passwords.accounts": unknown(/1 imported account are known/, () => ({ reader: accounts({ origin: "imported" }) })),
  "passwords.guessable": wrong(/anna@example\.org/, () => ({
    reader: { ...accounts({ origin: "imported" }), accountPassword: () => hashOf("anna123") },
  })),
  "passwords.api": wrong(/answers without a password or token \(200\)/, async () => ({
    settings: { "ports.http": await listenOnPort(createServer((_, answer) => answer.end("{}"))) },
  })),
  "passwords.environment": warning(/ADMIN_PASSWORD is set/, () => ({ env: { ADMIN_PASSWORD: "x" } })),

  "firewall.table": wrong(/has no table/, () => ({ machine: printing("", 1) })),
  "firewall.open-ports": wrong(/strict is set but NOT IN FORCE/, () => ({
    settings: { "firewall.mode": "strict" },
    machine: { run: () => Promise.resolve({ code: 1, stdout: "", stderr: "Error: No such file or directory" }) },
  })),
  "firewall.inner-port": wrong(/any user can reach port 10025/, () => ({ machine: printing("") })),
  "firewall.other-tables": unknown(/ip filter/, () => ({
    machine: printing(
      "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n",
    ),
  })),

  "accounts.postmaster": wrong(/No account could read mail for postmaster/, () => ({
    reader: accounts({ suspended: true }),
  })),
  "accounts.unused": warning(/anna@example\.org \(never\)/, () => ({
    reader: accounts({ createdAt: new Date(CHECKED_AT - 91 * DAY_MS).toISOString() }),
  })),
  "accounts.held": warning(/anna@example\.org/, () => ({
    answers: { held_list: { accounts: [{ account: "anna@example.org" }] } },
  })),
  "accounts.keys": warning(/^Older mail is locked, .*: anna@example\.org\.$/, () => ({
    reader: { countKeys: () => ({ own: 1, without: [], ofFile: 0, closed: ["anna@example.org"] }) },
  })),

  "components.services": wrong(/postfix is down \(it ended\)/, () => ({
    health: health({ components: [{ name: "postfix", status: "down", detail: "it ended" }] }),
  })),
  "components.notices": warning(/backup_failed: It failed/, () => ({
    health: health({
      notices: [{ code: "backup_failed", since: "", says: "It failed.", detail: "", next: "backup create" }],
    }),
  })),

  "disk.space": wrong(/1\.0 GB of 100\.0 GB are free/, () => room({ free: 1e9, all: 1e11 })),
  "disk.inodes": wrong(/1000000000 of 100000000000 inodes/, () => room({ free: 1e9, all: 1e11 })),
  "disk.mount": wrong(/The disk at \/ \(ext4\) is read-only/, () => ({
    machine: { mounts: () => "1 0 8:1 / / ro - ext4 /dev/sda1 rw\n" },
  })),

  "queue.age": warning(/4Wxyz, 7 h/, () =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- reading any other field fails
    queue({ queue: [{ id: "4Wxyz", at: CHECKED_AT - 7 * HOUR_MS } as ListedMail] }),
  ),
  "queue.hold": warning(/2 mails on hold/, () => queue({ total: 2 })),
  "queue.length": warning(/501 mails/, () => queue({ total: 501 })),

  "bans.allow-list": warning(/0\.0\.0\.0\/0/, () => {
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
  }),

  "alerts.outside": warning(/only to a mailbox on this server \(email\)/, () => channels(null, false)),
  "alerts.channels": wrong(/email fails: refused/, () => channels("refused", true)),
  "alerts.test": wrong(/ntfy rejected it: 403/, () => ({
    sendsTest: true,
    answers: { alerts_test: { results: [{ channel: "ntfy", ok: false, detail: "403" }] } },
  })),
};

findEach(BROKEN);

/** Cheap to verify. */
function hashOf(password: string): string {
  const salt = randomBytes(16);
  const cheap = { memory: 8, passes: 1, parallelism: 1 };
  const tag = argon2Sync("argon2id", { message: password, nonce: salt, tagLength: 32, ...cheap });
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
