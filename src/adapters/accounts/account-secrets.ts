import type { AccountName } from "../../core/net/address.ts";
import type { MadeSecret, SecretMaker } from "../../engine/admin-ports.ts";
import { passwordProof } from "../../render/dovecot/password-proof.ts";
import type { PasswordTurns } from "./password-turns.ts";

/** What the guard stores of new passwords. `loginSecret`: the secret of the login policy. */
export class AccountSecrets implements SecretMaker {
  readonly #turns: Pick<PasswordTurns, "hashAll">;
  readonly #loginSecret: string;

  constructor(turns: Pick<PasswordTurns, "hashAll">, loginSecret: string) {
    this.#turns = turns;
    this.#loginSecret = loginSecret;
  }

  async make(asked: readonly Readonly<{ owner: AccountName; password: string }>[]): Promise<readonly MadeSecret[]> {
    const hashes = await this.#turns.hashAll(asked.map(({ password }) => password));
    return asked.map(({ owner, password }, i) => ({ hash: hashes[i] ?? "", proof: this.proofOf(owner, password) }));
  }

  proofOf(owner: AccountName, password: string): string {
    return passwordProof(this.#loginSecret, owner.toLowerCase(), password);
  }
}
