import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { readKey } from "../../src/jobs/backup/repository.ts";
import { layoutOf } from "../../src/settings/layout.ts";
import { makeCheap } from "../kit/cheap-repository.ts";
import { newLab } from "../lab/lab.ts";
import { tryLogIn } from "../lab/mail.ts";
import { SERVER } from "../lab/network.ts";
import { inOrder, LATE, MOVED, openMailbox, type Stored, startOldImap } from "../lab/old-imap.ts";
import { type OwnMachine, startMachine, startServerMachine } from "../lab/own-machine.ts";
import { type Step, TYPED_PAGES } from "../lab/printed-page.ts";
import { PASSWORD } from "../lab/product.ts";
import { type Sink, startSink } from "../lab/sink.ts";
import { makeCertificate } from "../lab/tls-server.ts";
import { follow, tasksOf } from "../lab/type-page.ts";
import { until } from "../lab/wait.ts";
import { needsLab } from "../lab/with-product.ts";

const RECORDS = [
  `mail.example.org. A ${SERVER.v4}`,
  "example.net. MX 10 mx.example.net.",
  "mx.example.net. A 198.51.100.10",
  "example.com. MX 10 mx.example.com.",
  // Nothing listens there.
  "mx.example.com. A 198.51.100.80",
  "imap.old.example. A 198.51.100.90",
];
/** The last tasks of the first page end the server, so the other pages' tasks come first. */
const ENDS = "Restart and stop";
const OLD = "198.51.100.90";
/** Different passwords, because a device that repeats one is not an attacker. */
const GUESSES = ["first guess", "second guess", "third guess", "fourth guess", "fifth guess", "sixth guess"];
const DASHBOARD = "http://127.0.0.1:3000";

describe("the pages of an owner, typed as printed", needsLab(), () => {
  const lab = newLab();
  let server: OwnMachine;
  let laptop: OwnMachine;
  /** Bob's server. */
  let elsewhere: Sink;
  /** The content of the new mailbox before the move. */
  let own: readonly Stored[] = [];
  before(async () => {
    await lab.start(RECORDS);
    server = await startServerMachine(lab);
    laptop = await startMachine(lab.sender, lab.directory);
    elsewhere = await startSink(lab, "198.51.100.10");
  });
  after(() => lab.remove());

  /** Outside events before a task. */
  const comesBefore: Readonly<Record<string, () => Promise<unknown>>> = {
    "See who is banned, and why": () => Promise.all(GUESSES.map((password) => guess(password))),
    "Open the dashboard": openSsh,
    "Use your own certificate": getCertificate,
    "Prepare the move": async () => {
      const certificate = await makeCertificate(lab.directory, "old", "imap.old.example");
      await server.trust(certificate.cert);
      await startOldImap(lab.sender, { directory: lab.directory, address: OLD, certificate });
      const old = await oldMailbox();
      for (const folder of new Set(MOVED.map((mail) => mail.folder))) if (folder !== "INBOX") await old.create(folder);
      for (const mail of MOVED) await old.add(mail);
      old.close();
    },
    "See the reason": () => send("anna@example.org", "carol@example.com"),
    "Work with the queue": () => send("form@example.org", "dave@example.com"),
    "Copy mail that arrived since": async () => {
      const old = await oldMailbox();
      await old.add(LATE);
      old.close();
      await send("anna@example.org", "anna@example.org", "new here");
      await until("a mail has arrived here", async () =>
        (await newMails()).some(({ subject }) => subject.startsWith("new here")),
      );
    },
  };
  /** Parts of a page's task without a command. */
  const holdsAfter: Readonly<Record<string, () => unknown>> = {
    "Open the dashboard": async () => {
      await until("the page is at the end of the tunnel", () => laptop.must(["curl", "-sSf", DASHBOARD]));
      const signIn = ["-H", `Origin: ${DASHBOARD}`, "--json", JSON.stringify({ password: PASSWORD })];
      await laptop.must(["curl", "-sSf", ...signIn, `${DASHBOARD}/api/v1/login`]);
    },
    "Get alerts": () =>
      until("the test is in Bob's mailbox", () => elsewhere.mails().some((mail) => /This is a test/.test(mail))),
    // Makes the key cheap to derive: later steps are about the backups, not their key.
    "Make a backup": () => {
      const layout = layoutOf(lab.path("data-server"));
      makeCheap(layout.backupRepository, readKey(layout) ?? "");
    },
    "Prepare the move": async () => {
      own = await newMails();
    },
    "Copy the mail": async () => assert.deepEqual(await newMails("LIST (SUBSCRIBED)"), inOrder([...own, ...MOVED])),
    "Copy mail that arrived since": async () => {
      const now = await newMails();
      const here = now.filter(({ subject }) => subject.startsWith("new here"));
      assert.equal(here.length, 1);
      assert.deepEqual(now, inOrder([...own, ...MOVED, LATE, ...here]), "nothing twice, nothing gone");
    },
  };

  for (const [page, task, steps] of tasksInOrder())
    test(`${page}: ${task}`, async () => {
      await comesBefore[task]?.();
      for (const step of steps) await follow(step.isElsewhere ? laptop : server, step);
      await holdsAfter[task]?.();
    });

  async function send(from: string, to: string, subject = "A mail"): Promise<void> {
    const mail = `printf 'Subject: ${subject}\\n\\nHello.\\n'`;
    await server.must(["sh", "-c", `${mail} | ./ghostinbox sendmail -f ${from} ${to}`]);
  }

  const oldMailbox = () => openMailbox(lab.sender, OLD, OLD, { name: "anna@old.example", password: PASSWORD });

  /** Anna's mail on the new server. */
  async function newMails(command?: "LIST (SUBSCRIBED)"): Promise<readonly Stored[]> {
    const login = { name: "anna@example.org", password: PASSWORD };
    const mailbox = await openMailbox(lab.sender, "198.51.100.70", SERVER.v4, login);
    try {
      return await mailbox.mails(command);
    } catch (error) {
      // If the connection was cut, these show by which program.
      const logs = ["mail/mail.log", "dovecot/current", "keeper/current", "guard/current"].map(
        (name) => `/var/lib/ghostinbox/log/${name}`,
      );
      console.log(await server.must(["tail", "-n", "40", ...logs]));
      throw error;
    } finally {
      mailbox.close();
    }
  }

  const guess = (password: string) =>
    tryLogIn(lab.attacker, "198.51.100.200", "anna@example.org", password).catch(() => null);

  /** The server's sshd, and a key for which the laptop is not asked for a password. */
  async function openSsh(): Promise<void> {
    const at = lab.path;
    await laptop.must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at("key")]);
    await server.must(["dropbearkey", "-t", "ed25519", "-f", at("host-key")]);
    await server.must(["sh", "-c", `umask 077; mkdir /root/.ssh; cat ${at("key.pub")} > /root/.ssh/authorized_keys`]);
    // dropbear goes to the background, and ends with its namespace.
    await server.must(["dropbear", "-r", at("host-key"), "-P", at("ssh.pid")]);
    await laptop.must(["sh", "-c", `umask 077; mkdir /root/.ssh; cp ${at("key")} /root/.ssh/id_ed25519`]);
    const scan = "ssh-keyscan mail.example.org > /root/.ssh/known_hosts && test -s /root/.ssh/known_hosts";
    await until("the laptop knows the server", () => laptop.must(["sh", "-c", scan]).then(() => true));
  }

  /** Writes a certificate as certbot does, from an authority that the laptop trusts. */
  async function getCertificate(): Promise<void> {
    const { cert, key } = await makeCertificate(lab.directory, "tasks", "mail.example.org");
    const live = "/etc/letsencrypt/live/mail.example.org";
    const store = `mkdir -p ${live}; cp ${cert} ${live}/fullchain.pem; cp ${key} ${live}/privkey.pem`;
    await server.must(["sh", "-c", store]);
    await laptop.trust(cert);
  }
});

/** Each page that is typed here, task by task. */
function tasksInOrder(): readonly (readonly [page: string, task: string, steps: readonly Step[]])[] {
  const [first = [], ...others] = TYPED_PAGES.map((page) => tasksOf(page).map((task) => [page, ...task] as const));
  const end = first.findIndex(([, task]) => task === ENDS);
  return [...first.slice(0, end), ...others.flat(), ...first.slice(end)];
}
