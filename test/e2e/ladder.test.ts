import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LOGIN_DELAY_SECONDS } from "../../src/core/decide/policy.ts";
import { SECOND_MS } from "../../src/core/time.ts";
import { patience, patienceSeconds } from "../kit/patience.ts";
import { lengthMs } from "../lab/fail2ban.ts";
import type { Host } from "../lab/host.ts";
import { logIn, openImap, sendMail, serverFor, words } from "../lab/mail.ts";
import { SERVER } from "../lab/network.ts";
import { PASSWORD, type Product } from "../lab/product.ts";
import { timed, until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const LADDER_S = [1, 2, 3].map(patienceSeconds);

describe("bans of seconds in real traffic", needsLab(), () => {
  const { lab, product } = withProduct(
    {
      GHOSTINBOX_BANS__LADDER: LADDER_S.map((seconds) => `${seconds}s`).join(),
      GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: "2",
      GHOSTINBOX_LIMITS__MAIL__PER_HOUR: "1000",
      GHOSTINBOX_LIMITS__MAIL__PER_DAY: "1000",
      GHOSTINBOX_LIMITS__LOGINS__FAILURES: "2",
      GHOSTINBOX_ALLOW__NETWORKS: "127.0.0.1,::1,198.51.100.96/28,2001:db8:b000:a110::/64",
    },
    ["anna@example.test"],
  );

  for (const [from, last] of [
    ["198.51.100.220", "heavy"],
    ["2001:db8:a000:20::5", "permanent"],
  ] as const)
    test(`${from} climbs the ladder, comes back after each ban, and its fourth ban is ${last}`, async () => {
      const host = lab.attacker;
      if (last === "permanent") await product.configure("bans.permanent", "true");
      const levels = ["light", "medium", "heavy", last];
      for (const [i, level] of levels.entries()) {
        for (let n = 0; n < 3; n++) await sendMail({ host, from });
        const ban = await until(`ban ${i + 1}`, () => product.banOf(from));
        assert.deepEqual([ban.level, ban.offences, ban.code], [level, i + 1, "mail_limit"]);
        if (level === "permanent") {
          assert.equal(ban.expiresAt, null);
          await until("nothing passes", async () => !(await reaches(host, from)));
          continue;
        }
        assert.equal(lengthMs(ban), Number(LADDER_S[i] ?? LADDER_S.at(-1)) * 1_000);
        // A ban is recorded before the kernel has it. On a busy machine the first one may be over by then.
        const isOver = (): boolean => Date.now() >= Date.parse(ban.expiresAt ?? "");
        await until("nothing passes, or the ban is over", async () => !(await reaches(host, from)) || isOver());
        assert.ok(!isOver() || i < levels.length - 2, "the longest ban was over before it was tried");
        const passes = await reaches(host, from);
        assert.ok(!passes || isOver(), "while the ban lasts nothing passes");
        await until("it may come again", () => reaches(host, from));
        const back = Date.now() - Date.parse(ban.expiresAt ?? "");
        assert.ok(back > -1_100 && back < patience(2_500), `back ${back} ms after the end of the ban`);
        // The restarted guard knows earlier offences from the database.
        if (level === "medium") {
          await product.sv("kill", "guard");
          await until("the guard is back", () => product.guardAnswers());
        }
      }
      const types = (await product.events(from)).map(({ type }) => type);
      assert.equal(types.filter((type) => type === "BAN").length, levels.length);
      assert.ok(types.filter((type) => type === "BAN_EXPIRED").length >= levels.length - 1);
    });

  for (const [who, host, from] of [
    ["an allow-listed address", "sender", "198.51.100.98"],
    ["an allow-listed IPv6 network", "sender", "2001:db8:b000:a110::7"],
    ["the server's own address", "server", SERVER.v4],
    ["loopback", "server", "127.0.0.1"],
    ["another loopback address", "server", "127.0.0.77"],
  ] as const)
    test(`${who} is banned by no path`, async () => {
      const to = from.startsWith("127.") ? "127.0.0.1" : undefined;
      for (let n = 0; n < 5; n++) {
        const sent = await sendMail({ host: lab[host], from, ...(to === undefined ? {} : { to }) });
        assert.equal(sent.code, 250, `mail ${n + 1}: ${words(sent)}`);
      }
      const guesses = ["wrong 1", "wrong 2", "wrong 3", "wrong 4"];
      const answers = await Promise.all(guesses.map((guess) => signIn(lab[host], from, guess, to)));
      for (const { said } of answers) assert.match(said, /^NO/);
      await refusesToBan(product, from);
    });

  test("guesses from loopback are slowed down, and the right password still signs in", async () => {
    const tries = (password: string) => signIn(lab.server, "127.0.0.99", password, "127.0.0.1");
    assert.ok((await tries(PASSWORD)).tookMs < LOGIN_DELAY_SECONDS * SECOND_MS);
    await Promise.all(Array.from({ length: 8 }, (_, n) => tries(`guess ${n}`)));
    const { said, tookMs } = await tries(PASSWORD);
    assert.match(said, /^OK/);
    assert.ok(tookMs >= LOGIN_DELAY_SECONDS * SECOND_MS, `${tookMs} ms`);
    assert.match((await product.cli(["why", "127.0.0.99"])).stdout, /never banned: it is slowed down/);
    await refusesToBan(product, "127.0.0.99");
  });

  test("further guesses from many loopback addresses are refused, and the right password still signs in", async () => {
    const answer = (from: string, password: string) => signIn(lab.server, from, password, "127.0.0.1");
    await Promise.all(Array.from({ length: 45 }, (_, n) => answer(`127.1.${n}.1`, `another ${n}`)));
    const [refused, verified] = await Promise.all([
      product.countEvents("reason = 'local_guesses_refused'"),
      product.countEvents("type = 'LOGIN_FAILED' AND ip LIKE '127.%'"),
    ]);
    assert.ok(refused >= 5 && verified <= 40 + 8, `${refused} refused, ${verified} verified`);
    assert.match((await answer("127.2.0.1", PASSWORD)).said, /^OK/);
  });

  test("neither the gateway nor a network that holds one of these is banned", async () => {
    for (const network of [SERVER.gateway, "203.0.113.0/24", "127.0.0.0/8", "::1", "198.51.100.0/24", SERVER.v6])
      await refusesToBan(product, network);
  });
});

/** Checks that both the command line and the API refuse the ban. */
async function refusesToBan(product: Product, target: string): Promise<void> {
  await product.fails(["ban", target], /^.+\s*$/);
  const { status, text } = await product.api("POST", "/api/v1/bans", { ip: target });
  assert.ok(status >= 400 && status < 500, `the API bans ${target}: ${status} ${text}`);
  assert.equal(await product.banOf(target), undefined);
}

/** The answer to Anna's sign-in by IMAP, and how long it took. */
async function signIn(host: Host, from: string, password: string, to?: string) {
  using dialog = await openImap(host, from, to);
  const { value, ms } = await timed(() => logIn(dialog, "anna@example.test", password));
  return { said: value ?? "", tookMs: ms };
}

const reaches = (host: Host, from: string) => host.reaches({ from, to: serverFor(from), port: 993, timeoutMs: 250 });
