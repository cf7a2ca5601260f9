import type { SessionItem } from "../../src/wire/control/access-items.ts";
import { t } from "../messages.ts";
import { At, Said } from "../parts.tsx";

export type Listed = SessionItem & Readonly<{ isOwn: boolean }>;

/** A browser that is signed in. `account`: the mailbox whose session it is, where several are listed. */
export function SessionFacts({ item, account = null }: Readonly<{ item: Listed; account?: string | null }>) {
  const { device, ip, startedAt, usedAt, isOwn } = item;
  const words = t.value.browsers;
  return (
    <p>
      <strong>
        <Said text={device} />
      </strong>{" "}
      <Said text={ip} /> {account !== null && <Said text={account} />}{" "}
      {isOwn && <span class="badge">{words.thisOne}</span>}
      <br />
      <small>
        {words.started} <At iso={startedAt} how="moment" />, {words.used} <At iso={usedAt} how="moment" />
      </small>
    </p>
  );
}
