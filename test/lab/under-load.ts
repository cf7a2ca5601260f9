import { sendMail, tryLogIn } from "./mail.ts";
import { PASSWORD, type Product } from "./product.ts";

const SENDERS = 5;
const WRONG = "not the password at all";

/** Mails, sign-ins and commands without end, until the server is gone. Each mail is sent once. */
export class UnderLoad {
  /** The server's promises: everything here was answered with 250 or with success. */
  readonly promised = {
    /** Their numbers. */
    mails: new Set<number>(),
    bans: new Set<string>(),
    /** The possible passwords of each account: more than one if a change was not answered. */
    passwords: new Map<string, readonly string[]>(),
    tokens: new Set<string>(),
    /** `limits.mail.per_day`, which `config set` writes: several if a change was not answered. */
    perDay: [200] as readonly number[],
  };
  /** Replies other than 250, such as while the guard starts. */
  deferred = 0;
  signIns = 0;
  /** Of the successful ones. */
  commands = 0;
  readonly #product: Product;
  readonly #accounts: readonly string[];
  #mail = 0;
  #made = 0;
  #turn = 0;
  #isOn = false;
  #isDark = false;
  #done: Promise<unknown> = Promise.resolve();

  constructor(product: Product, accounts: readonly string[]) {
    this.#product = product;
    this.#accounts = accounts;
    for (const name of accounts) this.promised.passwords.set(name, [PASSWORD]);
  }

  start(): void {
    this.#isOn = true;
    this.#isDark = false;
    const senders = Array.from({ length: SENDERS }, () => () => this.#send());
    const others = [() => this.#signIn(), () => this.#guess(), () => this.#command()];
    this.#done = Promise.all([...senders, ...others].map((work) => this.#onAndOn(work)));
  }

  /** Call it before the power fails: no later answer would reach anyone, so none is a promise (`LoopDisk.cut`). */
  losePower(): void {
    this.#isDark = true;
  }

  /** Starts nothing more. Resolves once pending work has ended, or failed with the server. */
  stop(): Promise<unknown> {
    this.#isOn = false;
    return this.#done;
  }

  async #onAndOn(work: () => Promise<void>): Promise<void> {
    while (this.#isOn)
      try {
        await work();
      } catch {
        // The server is gone in the middle of the work.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
  }

  async #send(): Promise<void> {
    const number = this.#mail++;
    const reply = await sendMail({
      host: this.#product.lab.sender,
      from: `2001:db8:b${(number >> 12).toString(16).padStart(3, "0")}:${(number & 0xfff).toString(16)}::1`,
      recipient: this.#accounts[number % this.#accounts.length] ?? "",
      subject: `Number ${number}.`,
    });
    if (reply.code !== 250) this.deferred += 1;
    else if (!this.#isDark) this.promised.mails.add(number);
  }

  async #signIn(): Promise<void> {
    const name = this.#accounts[this.signIns % this.#accounts.length] ?? "";
    const answer = await tryLogIn(this.#product.lab.sender, "198.51.100.70", name);
    if (answer.startsWith("OK")) this.signIns += 1;
  }

  async #guess(): Promise<void> {
    const number = this.#made++;
    const from = `198.18.${(number >> 8) & 255}.${number & 255}`;
    await tryLogIn(this.#product.lab.attacker, from, `nobody${number}@example.test`, WRONG);
  }

  /** One of each kind in turn. Unanswered commands may have been carried out or not. */
  async #command(): Promise<void> {
    const number = this.#made++;
    const { bans, passwords, tokens } = this.promised;
    const [ban, name, token] = [`192.0.2.${number % 250}/32`, `user${number}@example.test`, `token${number}`];
    const added = () => passwords.set(name, [PASSWORD]);
    const kinds = [
      () => this.#does(["ban", ban, "--for", "1d"], () => bans.add(ban)),
      () => this.#does(["account", "add", name, "--password-stdin"], added, PASSWORD),
      () => this.#setting(200 + number),
      () => this.#changePassword(`${PASSWORD} ${number}`),
      () => this.#does(["token", "create", token], () => tokens.add(token)),
    ];
    await kinds[this.#turn++ % kinds.length]?.();
  }

  async #changePassword(password: string): Promise<void> {
    const { passwords } = this.promised;
    const name = [...passwords.keys()].findLast((one) => !this.#accounts.includes(one));
    if (name === undefined) return;
    passwords.set(name, [...(passwords.get(name) ?? []), password]);
    const changed = () => passwords.set(name, [password]);
    await this.#does(["account", "passwd", name, "--password-stdin"], changed, password);
  }

  async #setting(perDay: number): Promise<void> {
    this.promised.perDay = [...this.promised.perDay, perDay];
    const set = () => (this.promised.perDay = [perDay]);
    await this.#does(["config", "set", "limits.mail.per_day", `${perDay}`], set);
  }

  /** `promises`: what its answer does. */
  async #does(argv: readonly string[], promises: () => unknown, password = ""): Promise<void> {
    if (!this.#isOn) return;
    const ran = await this.#product.cli([...argv, "--json"], { input: password === "" ? "" : `${password}\n` });
    if (ran.code !== 0 || this.#isDark) return;
    promises();
    this.commands += 1;
  }
}
