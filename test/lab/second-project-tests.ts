import assert from "node:assert/strict";
import {
  appendFileSync,
  chownSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { layoutOf } from "../../src/settings/layout.ts";
import { CHECKOUT } from "./checkout.ts";
import { openDialog } from "./dialog.ts";
import { documentLines } from "./document-lines.ts";
import { type ImageLab, START_MS } from "./image-lab.ts";
import { assertAccepted, sendMail, tryLogIn } from "./mail.ts";
import { SERVER } from "./network.ts";
import { PASSWORD } from "./product.ts";
import { until } from "./wait.ts";

const NAME = "mailserver";
const [CLERK, UNWANTED, NEW] = ["clerk@investra.com", "unwanted@investra.com", "newuser@investra.com"];
const PHONE = "198.51.100.70";
const GUESSERS = ["198.51.100.200", "2001:db8:a000::200"];
/** The project's limit. */
const GUESSES = 3;
const GREETING = "Mail of Investra";

/** Lines that the project's document tells the reader to type. */
const CHANGES = `
# Add new email account
echo "newuser@investra.com|{PLAIN}SecurePassword123!" >> docker-data/dms/config/postfix-accounts.cf

# Remove email account
sed -i '/unwanted@investra.com/d' docker-data/dms/config/postfix-accounts.cf

# Restart to apply changes
docker-compose restart mailserver
`;
/** The same lines with the newer form of Compose's command. */
export const SECOND_COMMANDS: readonly string[] = CHANGES.replace("docker-compose", "docker compose").split("\n");
/** The document's backup script, with a directory of the lab. */
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
 * Takes the passphrase from here, since no one types it, and makes the copy cheap: neither its size nor the cost of guessing the
 * passphrase is tested. The Node runtime would be 150 of 160 MB.
 */
const GPG = `gpg() { command gpg --homedir keys --batch --pinentry-mode loopback --passphrase secret --s2k-count 1024 -z 0 "$@"; }
export GZIP=-1 TAR_OPTIONS='--exclude=*/program/node'`;
const LISTED =
  "gpg --decrypt secure/backups/email-*/email-backup.tar.gz.gpg | tar -tz; gpgconf --homedir keys --kill all";

function of({ lab, docker }: ImageLab) {
  const here = lab.path("investra");
  const env = { COMPOSE_FILE: "compose.yaml:lab.json" };
  return {
    here,
    dms: (...path: readonly string[]): string => join(here, "docker-data", "dms", ...path),
    types: (lines: string): Promise<string> => docker.types(lines, here, { env }),
    answerTo: (name: string, password: string): Promise<string> => tryLogIn(lab.sender, PHONE, name, password),
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

/** Tests the server from `startSecondProject`, with the commands of its document. Removes it at the end. */
export function secondProjectTests(image: () => ImageLab): void {
  const dms = (...path: readonly string[]): string => of(image()).dms(...path);
  const types = (typed: string): Promise<string> => of(image()).types(typed);
  const arrives = async (account: string): Promise<void> => {
    assertAccepted(await sendMail({ host: image().lab.sender, from: PHONE, recipient: account }));
    const maildir = dms("mail-data", ...account.split("@").toReversed());
    await until("the mail is there", () => globSync("**/new/*", { cwd: maildir }).length > 0, START_MS);
  };
  const signsIn = async (name: string, password: string): Promise<boolean> =>
    (await of(image()).answerTo(name, password)).startsWith("OK");
  const ghostinbox = (words: string): Promise<string> => types(`docker exec ${NAME} ghostinbox ${words}`);
  const reports = (notice: RegExp): Promise<true> =>
    until("status says so", async () => notice.test(await ghostinbox("status")));
  const lines = documentLines("investra");
  test("sets what its document sets, word for word, and writes its logs", async () => {
    const conf = (path: string) => readFileSync(dms("mail-state", "conf", path), "utf8");
    const [, defaults = "", ...jails] = conf("fail2ban/jail.conf").split(/^(?=\[)/m);
    const logpath = (await types(`docker exec ${NAME} readlink -f /var/log/mail/mail.log`)).trim();
    for (const name of ["[postfix]", "[dovecot]"]) {
      const jail = `${defaults}${jails.find((one) => one.startsWith(`${name}\n`))}`.split("\n");
      for (const line of lines.take(name, 7))
        assert.ok(jail.includes(line.replace("/var/log/mail/mail.log", logpath)), `${name} ${line}`);
    }
    const spam = conf("spamassassin/local.cf").split("\n");
    for (const line of lines.take("required_score", 5)) assert.ok(spam.includes(line), line);
    for (const line of lines.take("/var/log/", 4)) await types(`docker exec ${NAME} test -r ${line}`);
  });

  test("follows the accounts of docker-data/dms/config, and keeps mail and logs in docker-data/dms", async () => {
    for (const name of [CLERK, UNWANTED]) {
      await until("the account is there", () => signsIn(name, PASSWORD), START_MS);
      await arrives(name);
    }
    assert.match(readFileSync(dms("mail-logs", "mail.log"), "utf8"), /postfix\/qmgr.* from=<someone@sender\.test>/);
    await types(`docker exec ${NAME} ls /var/log/mail/mail.log /var/log/mail/mail.err /var/log/mail/mail.warn`);
  });

  test("loses nothing when it is killed, adds and removes an account, and takes settings of dovecot.cf, by the commands of its document", async () => {
    const { lab, docker } = image();
    const layout = layoutOf(dms("mail-state"));
    for (const from of GUESSERS) await image().guess(CLERK, { from, times: GUESSES });
    await image().bans(GUESSERS, NAME);
    assertAccepted(await sendMail({ host: lab.sender, from: PHONE, recipient: CLERK, subject: "just before" }));
    await docker.must(["kill", NAME]);
    // After the restart this process id belongs to another process, which is common in a container.
    writeFileSync(join(layout.dovecotBase, "master.pid"), "1\n");
    // The spam filter has been tested already, and takes half of a start.
    appendFileSync(layout.settings, "spam.enabled = false\n");
    const printed = [...lines.take("ssl_", 4), ...lines.take("remote {", 3)];
    const own = `login_greeting = ${GREETING}\n${printed.join("\n")}\n`;
    writeFileSync(dms("config", "dovecot.cf"), own, { mode: 0o644 });
    for (const start of ["echo", "sed", "docker-compose restart"])
      await lines.typed(start, async (line) => assert.ok(CHANGES.includes(line), line));
    await types(CHANGES);
    await image().runs(NAME);
    await image().expectMails(CLERK, "A mail", "just before");
    for (const from of GUESSERS) assert.ok(!(await image().reaches(from)), from);
    await until("the new account is there", () => signsIn(NEW, "SecurePassword123!"), START_MS);
    await until("the other is gone", async () => !(await signsIn(UNWANTED, PASSWORD)), START_MS);
    assert.ok(existsSync(dms("mail-data", "investra.com", "unwanted")), "its mail stays");
    using imap = await openDialog(lab.sender, { from: PHONE, to: SERVER.v4, port: 993, tls: true });
    assert.match((await imap.line()) ?? "", new RegExp(`${GREETING}$`));
  });

  test("names its contacts, and is tested by its commands", async () => {
    const { lab } = image();
    const contacts = [...lines.take("Security Team"), ...lines.take("System Admin"), ...lines.take("Hosting Provider")];
    await ghostinbox(`config set alerts.contacts '${contacts.join(",")}'`);
    await ghostinbox("config apply");
    const shown = await ghostinbox("config show");
    for (const contact of contacts) assert.ok(shown.includes(contact), contact);
    // On the machine where Docker runs, which is the lab's server.
    const here = (line: string) => lab.server.exec(["bash", "-c", `cd ${CHECKOUT}; ${line}`], { deadlineMs: 200_000 });
    const scanned = await lines.typed("nmap", here);
    for (const port of [25, 465, 587, 993]) assert.match(scanned.stdout, new RegExp(`^${port}/tcp +open`, "m"));
    assert.doesNotMatch(scanned.stdout, /Postfix smtpd \d|Dovecot imapd \d/);
    const tls = stripVTControlCharacters((await lines.typed("sslscan", here)).stdout);
    for (const version of ["SSLv3", "TLSv1.0", "TLSv1.1"]) assert.match(tls, new RegExp(`^${version} +disabled`, "m"));
    assert.match(tls, /^TLSv1\.2 +enabled/m);
    const curl = lines.explained("curl", "security-test.md", /cannot test a password: with `https` curl speaks HTTP/);
    assert.notEqual((await here(curl)).code, 0);
    const tested = await lines.typed("./test-email-security.sh", here);
    assert.match(tested.stdout, /^localhost: \d+ ok, 0 WRONG, \d+ unknown\.$/m, tested.stdout + tested.stderr);
  });

  test("is backed up by the script of its document: accounts, mail and logs; starts with a dovecot.cf that Dovecot refuses", async () => {
    const { here } = of(image());
    appendFileSync(dms("config", "dovecot.cf"), "nonsense = 1\n");
    mkdirSync(join(here, "keys"), { mode: 0o700 });
    // Otherwise gpg-agent measures this machine's speed, which takes half a second.
    writeFileSync(join(here, "keys", "gpg-agent.conf"), "s2k-count 65536\n");
    const asHere = (line: string): string => line.replaceAll("/secure/", "secure/");
    for (const start of ["BACKUP_DIR", "mkdir", "docker-compose stop", "tar", "docker-compose start", "find"])
      await lines.typed(start, async (line) => assert.ok(BACKUP.includes(asHere(line)), line));
    lines.finish();
    await types(`${GPG}\n${BACKUP}`);
    const listed = (await types(`${GPG}\n${LISTED}`)).split("\n");
    for (const path of ["config/postfix-accounts.cf", "config/dovecot.cf", "mail-logs/mail.log"])
      assert.ok(listed.includes(`docker-data/dms/${path}`), path);
    assert.ok(listed.some((path) => /mail-data\/investra\.com\/clerk\/.*\/(new|cur)\/\d/.test(path)));
    await image().runs(NAME);
    await reports(/Your own settings of Dovecot .* cannot be used.*line 9: Unknown setting: nonsense/);
    assert.ok(await signsIn(CLERK, PASSWORD));
  });

  test("is restored into the directories of its document, which are mounts in the container; starts with a dovecot.cf that root does not own", async () => {
    await ghostinbox("backup create");
    await types("docker-compose stop mailserver");
    rmSync(dms("mail-data", "investra.com", "clerk"), { recursive: true });
    const restore = "--entrypoint ghostinbox mailserver backup restore --replace --yes";
    await types(`docker-compose run --rm ${restore}`);
    assert.ok(globSync("investra.com/clerk/**/{new,cur}/*", { cwd: dms("mail-data") }).length > 0);
    const file = dms("config", "dovecot.cf");
    writeFileSync(file, readFileSync(file, "utf8").replace("nonsense = 1\n", ""));
    chownSync(file, 1000, 1000);
    await types("docker-compose start mailserver");
    await image().runs(NAME);
    await reports(/Your own settings of Dovecot .* cannot be used.*must belong to root/);
    await arrives(CLERK);
    await image().docker.must(["rm", "--force", NAME]);
  });
}
