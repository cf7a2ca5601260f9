import assert from "node:assert/strict";
import { appendFileSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { layoutOf } from "../../src/settings/layout.ts";
import { CHECKOUT } from "./checkout.ts";
import { Dialog } from "./dialog.ts";
import { type ImageLab, START_MS } from "./image-lab.ts";
import { logIn, openImap, sendMail } from "./mail.ts";
import { SERVER } from "./network.ts";
import { PASSWORD } from "./product.ts";
import { until } from "./wait.ts";

const NAME = "mailserver";
const [CLERK, UNWANTED, NEW] = ["clerk@investra.com", "unwanted@investra.com", "newuser@investra.com"];
const PHONE = "198.51.100.70";
const GUESSERS = ["198.51.100.200", "2001:db8:a000::200"];
/** Its limit. */
const GUESSES = 3;
const GREETING = "Mail of Investra";

/** What its document prints to type. */
const CHANGES = `
# Add new email account
echo "newuser@investra.com|{PLAIN}SecurePassword123!" >> docker-data/dms/config/postfix-accounts.cf

# Remove email account
sed -i '/unwanted@investra.com/d' docker-data/dms/config/postfix-accounts.cf

# Restart to apply changes
docker-compose restart mailserver
`;
/** As Compose without a hyphen takes them, too. */
export const SECOND_COMMANDS: readonly string[] = CHANGES.replace("docker-compose", "docker compose").split("\n");
/** The same, in a directory of the lab. */
const BACKUP = `
BACKUP_DIR="secure/backups/email-$(date +%Y%m%d)"
mkdir -p "$BACKUP_DIR"

# Stop services for consistent backup
docker-compose stop mailserver

# Create encrypted backup
tar -czf - docker-data/ | gpg --cipher-algo AES256 --compress-algo 1 --symmetric --output "$BACKUP_DIR/email-backup.tar.gz.gpg"

# Restart services
docker-compose start mailserver

# Remove old backups (keep 30 days)
find secure/backups/ -name "email-*" -mtime +30 -delete
`;
/**
 * Nobody is there to type the passphrase. How small the copy gets, and how long a guess of its passphrase takes, is not tested. Of its
 * 160 MB the Node runtime is 150.
 */
const GPG = `gpg() { command gpg --homedir keys --batch --pinentry-mode loopback --passphrase secret --s2k-count 1024 -z 0 "$@"; }
export GZIP=-1 TAR_OPTIONS='--exclude=*/program/node'`;
const LISTED =
  "gpg --decrypt secure/backups/email-*/email-backup.tar.gz.gpg | tar -tz; gpgconf --homedir keys --kill all";

type Row = readonly [says: string, test: () => Promise<void>];

function of({ lab, docker }: ImageLab) {
  const here = join(lab.directory, "investra");
  const env = { COMPOSE_FILE: "compose.yaml:lab.json" };
  return {
    here,
    dms: (...path: readonly string[]): string => join(here, "docker-data", "dms", ...path),
    types: (lines: string): Promise<string> => docker.types(lines, here, { env }),
    answerTo: async (name: string, password: string): Promise<string> => {
      const imap = await openImap(lab.sender, PHONE);
      const answer = await logIn(imap, name, password);
      imap.close();
      return answer ?? "";
    },
  };
}

/** By `examples/investra/compose.yaml`. */
export async function startSecondProject(image: ImageLab): Promise<void> {
  const { here, dms, types } = of(image);
  mkdirSync(dms("config"), { recursive: true });
  cpSync(join(CHECKOUT, "examples/investra/compose.yaml"), join(here, "compose.yaml"));
  // As shipped: its settings name a score and senders for the spam filter.
  image.writeCompose(join(here, "lab.json"), NAME, {});
  const accounts = [CLERK, UNWANTED].map((name) => `${name}|{PLAIN}${PASSWORD}\n`);
  writeFileSync(dms("config", "postfix-accounts.cf"), accounts.join(""));
  await types("docker-compose up --detach --no-build");
  await image.runs(NAME);
}

/** Of what `startSecondProject` has started, also the commands of its document. It is gone at the end. */
export function secondProjectTests(image: () => ImageLab): readonly Row[] {
  const arrives = async (account: string): Promise<void> => {
    const { dms } = of(image());
    assert.equal((await sendMail({ host: image().lab.sender, from: PHONE, recipient: account })).code, 250);
    const maildir = dms("mail-data", ...account.split("@").toReversed());
    await until("the mail is there", () => globSync("**/new/*", { cwd: maildir }).length > 0, START_MS);
  };
  const signsIn = async (name: string, password: string): Promise<boolean> =>
    (await of(image()).answerTo(name, password)).startsWith("OK");
  return [
    [
      "follows the accounts of docker-data/dms/config, and keeps mail and logs in docker-data/dms",
      async () => {
        const { dms, types } = of(image());
        for (const name of [CLERK, UNWANTED]) {
          await until("the account is there", () => signsIn(name, PASSWORD), START_MS);
          await arrives(name);
        }
        assert.match(readFileSync(dms("mail-logs", "mail.log"), "utf8"), /postfix\/qmgr.* from=<someone@sender\.test>/);
        await types(`docker exec ${NAME} ls /var/log/mail/mail.log /var/log/mail/mail.err /var/log/mail/mail.warn`);
      },
    ],

    [
      "loses nothing when it is killed, adds and removes an account, and takes settings of dovecot.cf, by the commands of its document",
      async () => {
        const { lab, docker } = image();
        const { dms, types } = of(image());
        const layout = layoutOf(dms("mail-state"));
        for (const from of GUESSERS) await image().guess(CLERK, { from, times: GUESSES });
        await image().bans(GUESSERS, NAME);
        assert.equal(
          (await sendMail({ host: lab.sender, from: PHONE, recipient: CLERK, subject: "just before" })).code,
          250,
        );
        await docker.must(["kill", NAME]);
        // The number is of another process when it is back, as it often is in a container.
        writeFileSync(join(layout.dovecotBase, "master.pid"), "1\n");
        // It has shown that it runs with the spam filter, which takes half of a start.
        appendFileSync(layout.settings, "spam.enabled = false\n");
        const own = `login_greeting = ${GREETING}\nremote {\n  disable_plaintext_auth = yes\n}\n`;
        writeFileSync(dms("config", "dovecot.cf"), own, { mode: 0o644 });
        await types(CHANGES);
        await image().runs(NAME);
        await image().expectMails(CLERK, "A mail", "just before");
        for (const from of GUESSERS) assert.ok(!(await image().reaches(from)), from);
        await until("the new account is there", () => signsIn(NEW, "SecurePassword123!"), START_MS);
        await until("the other is gone", async () => !(await signsIn(UNWANTED, PASSWORD)), START_MS);
        assert.ok(existsSync(dms("mail-data", "investra.com", "unwanted")), "its mail stays");
        const imap = await Dialog.open(lab.sender, { from: PHONE, to: SERVER.v4, port: 993, tls: true });
        assert.match((await imap.line()) ?? "", new RegExp(`${GREETING}$`));
        imap.close();
      },
    ],

    [
      "is backed up by the script of its document: accounts, mail and logs",
      async () => {
        const { here, types } = of(image());
        mkdirSync(join(here, "keys"), { mode: 0o700 });
        // Or gpg-agent finds out how much this machine computes in a tenth of a second, which takes it half of one.
        writeFileSync(join(here, "keys", "gpg-agent.conf"), "s2k-count 65536\n");
        await types(`${GPG}\n${BACKUP}`);
        const listed = (await types(`${GPG}\n${LISTED}`)).split("\n");
        for (const path of ["config/postfix-accounts.cf", "config/dovecot.cf", "mail-logs/mail.log"])
          assert.ok(listed.includes(`docker-data/dms/${path}`), path);
        assert.ok(listed.some((path) => /mail-data\/investra\.com\/clerk\/.*\/(new|cur)\/\d/.test(path)));
        assert.equal(await image().inspect("{{.State.Running}}", NAME), "true");
        await image().docker.must(["rm", "--force", NAME]);
      },
    ],
  ];
}
