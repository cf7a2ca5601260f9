import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { corrections, learnPlugin, learnService, renderLearn, renderLearnScripts } from "./learn-spam.ts";

const site = sampleSite();

test("learning runs as spamd's user, one mail at a time, only for IMAP processes", () => {
  const text = learnService(site);
  for (const line of ["user = debian-spamd", "process_limit = 1", "mode = 0600", "user = ghostinbox-mail"])
    assert.ok(text.includes(line), line);
});

test("only moved and copied mail teaches, not a flag or an upload", () => {
  assert.deepEqual(learnPlugin(site).match(/causes = .*/g), ["causes = COPY", "causes = COPY"]);
});

test("an account is neither a path nor an option, and only two words are commands", () => {
  const { text, mode } = renderLearn(site);
  assert.equal(mode, 0o755);
  assert.match(text, /users\/\$\(printf %s "\$account" \| sha256sum \| cut -c 1-64\)$/m);
  assert.match(text, /-u "\$account" .* -L "\$class"\)$/m);
  assert.match(text, /^case \$class in spam \| ham\) ;; \*\) exit 64 ;; esac$/m);
});

test("long mail teaches nothing", () => {
  for (const { text } of renderLearnScripts()) assert.match(text, /^if size :over 512K \{ stop; \}$/m);
});

test("a move from Junk to another spam folder, or to a bin in any language, teaches nothing", () => {
  const [spam, ham] = renderLearnScripts();
  assert.doesNotMatch(spam?.text ?? "", /imap\.mailbox/);
  const [, pattern = ""] = /^if environment :regex "imap\.mailbox" "(.*)" \{ stop; \}$/m.exec(ham?.text ?? "") ?? [];
  const unwanted = new RegExp(pattern, "i");
  for (const folder of ["Junk.2024", "junk e-mail", "Spam", "Trash.old", "Deleted Items", "INBOX.Trash", "Papierkorb"])
    assert.match(folder, unwanted);
  for (const folder of ["Gelöschte Elemente", "Corbeille", "Éléments supprimés", "Корзина", "ごみ箱"])
    assert.match(folder, unwanted);
  for (const folder of ["INBOX", "Archive.2024", "Binders", "Junkers", "Friends.Trashman", "Kosztorys"])
    assert.doesNotMatch(folder, unwanted);
});

const NONE = { missed: 0, wrong: 0, users: 0 };

test("both directions are counted, by time, with the older part of the list", () => {
  const list = join(temporaryDirectory(), "corrections");
  assert.deepEqual(corrections({ foreign: list }, 0, 9e12), NONE);
  writeFileSync(`${list}.1`, "100 spam anna@example.org\n200 spam anna@example.org\n");
  writeFileSync(list, "300 ham bea@example.org\n400 ham bea@example.org\nno line\n300 spam\n");
  assert.deepEqual(corrections({ foreign: list }, 200_000, 300_000), { missed: 1, wrong: 1, users: 2 });
  assert.deepEqual(corrections({ foreign: list }, 0, 9e12), { missed: 2, wrong: 2, users: 2 });
});

test("a link is not followed, and a pipe does not block", () => {
  const directory = temporaryDirectory();
  const list = join(directory, "corrections");
  writeFileSync(join(directory, "other"), "100 spam anna@example.org\n");
  symlinkSync(join(directory, "other"), list);
  assert.deepEqual(corrections({ foreign: list }, 0, 9e12), NONE);
  rmSync(list);
  execFileSync("mkfifo", [list]);
  assert.deepEqual(corrections({ foreign: list }, 0, 9e12), NONE);
});

const MB = 1024 * 1024;

/** Asks our plugin with SpamAssassin's own plugin loader; a line for each case. `l`: the mail would be learned. */
const ASKS = `
use Mail::SpamAssassin;
package Taught; our @ISA = qw(Mail::SpamAssassin::Plugin);
sub new { my ($class, $main) = @_; return bless($class->SUPER::new($main), $class) }
sub learn_message { print "l"; return 1 }
package main;
my ($plugin, @cases) = @ARGV;
while (my ($path, $bytes, $by_itself) = splice(@cases, 0, 3)) {
  my $main = Mail::SpamAssassin->new({ config_text => "bayes_path $path\nloadplugin GhostInbox::PerUserBayes $plugin\n", local_tests_only => 1 });
  $main->init(0);
  $main->{plugins}->register_plugin(Taught->new($main));
  my $mail = $main->parse("Subject: x\n\n" . ("x" x $bytes));
  $main->call_plugins("autolearn", {}) if $by_itself;
  $main->call_plugins("learn_message", { isspam => 0, msg => $mail });
  print "\n";
}
`;

test("strangers' mails cannot make the learned data grow without limit", installed("spamd"), () => {
  const directory = temporaryDirectory();
  const plugin = join(import.meta.dirname, "../../../security/per_user_bayes.pm");
  const cases = (
    [
      [7, 0, 0, 100_000, "itself", true, "few"],
      [9, 0, 3_600, 100_000, "itself", false, "a long mail"],
      [9, 0, 60, 1_000, "itself", false, "soon after another"],
      [9, 0, 3_600, 1_000, "itself", true, "a short mail now and then"],
      [9, 0, 0, 100_000, "a user", true, "what a user moves"],
      [33, 0, 3_600, 1_000, "itself", false, "many"],
      [33, 0, 3_600, 1_000, "a user", false, "many, by a user"],
      [1, 7, 0, 1_000, "a user", true, "the list of learned mails stays"],
      [1, 9, 0, 1_000, "a user", true, "the list of learned mails starts over"],
    ] as const
  ).map(([megabytes, seenMb, learnedAgoS, mailBytes, by, isLearned, why], at) => {
    const path = join(directory, `bayes${at}`);
    for (const name of ["toks", "seen"]) writeFileSync(`${path}_${name}`, "");
    truncateSync(`${path}_toks`, megabytes * MB);
    truncateSync(`${path}_seen`, seenMb * MB);
    const learnedAt = Date.now() / 1000 - learnedAgoS;
    utimesSync(`${path}_seen`, learnedAt, learnedAt);
    return { path, args: [path, String(mailBytes), by === "itself" ? "1" : ""], expected: [isLearned ? "l" : "", why] };
  });
  const args = ["-e", ASKS, plugin, ...cases.flatMap((one) => one.args)];
  const printed = execFileSync("perl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n");
  for (const [at, { expected }] of cases.entries()) assert.deepEqual([printed[at], expected[1]], expected);
  assert.deepEqual(
    cases.filter(({ path }) => !existsSync(`${path}_seen`)).map(({ expected }) => expected[1]),
    ["the list of learned mails starts over"],
  );
});
