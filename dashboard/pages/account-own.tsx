import type { ComponentChildren } from "preact";
import { t } from "../admin-texts.ts";
import { get, remove } from "../api.ts";
import { tell } from "../attempt.ts";
import { At, Card, now, Said, useLoaded, Waiting } from "../parts.tsx";
import { withProof } from "../proof.tsx";
import { focusHeading } from "../shell.tsx";
import { type Props, pathOf } from "./account-changes.tsx";
import { Surely } from "./surely.tsx";

type App = Readonly<{ id: string; name: string; madeBy: string; lastUsed: string | null }>;
type Forwarding = Readonly<{ to: readonly string[]; keep: boolean }>;
type Reply = Readonly<{ subject: string; text: string; until: string | null }>;

/** App passwords, forwards and replies of the mailbox: after a hijack they may be the thief's. */
export function AccountOwn({ account }: Pick<Props, "account">) {
  const at = (what: string): string => pathOf(account, what);
  // The former data may be of before a new password, which removes app passwords.
  const { data, error, reload } = useLoaded(async () => {
    const [apps, forwarding, { vacation }] = await Promise.all([
      get<{ items: readonly App[] }>(at("app-passwords")),
      get<Forwarding>(at("forwarding")),
      get<{ vacation: Reply | null }>(at("vacation")),
    ]);
    return { apps: apps.items, forwarding, vacation };
  }, [account]);
  const words = t.value.accounts.own;
  const end = async (what: string, path: string): Promise<void> => {
    try {
      await withProof(() => remove(at(path)));
      tell(words.ended(what));
      focusHeading();
    } finally {
      // It may have ended since, or be half done.
      reload();
    }
  };
  return (
    <Card title={words.title}>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data !== null && (
        <>
          {data.apps.length === 0 && data.forwarding.to.length === 0 && data.vacation === null && (
            <p class="empty">{words.none}</p>
          )}
          <ul class="rows">
            {data.apps.map(({ id, name, madeBy, lastUsed }) => (
              <Row
                key={id}
                what={`${words.app} ${name}`}
                end={(what) => end(what, `app-passwords/${encodeURIComponent(id)}`)}
              >
                {lastUsed === null ? (
                  words.unused
                ) : (
                  <>
                    {words.used} <At iso={lastUsed} how="moment" />
                  </>
                )}
                , {words.by} <Said text={madeBy} />
              </Row>
            ))}
            {data.forwarding.to.length > 0 && (
              <Row what={words.forwarding} end={(what) => end(what, "forwarding")}>
                <Said text={data.forwarding.to.join(", ")} /> ({data.forwarding.keep ? words.copy : words.noCopy})
              </Row>
            )}
            {data.vacation !== null && (
              <Row what={words.reply} end={(what) => end(what, "vacation")}>
                <Said text={`${data.vacation.subject} ${data.vacation.text}`.trim()} />
                {data.vacation.until !== null && (
                  <>
                    {" "}
                    ({Date.parse(data.vacation.until) <= now.value ? words.over : words.until}{" "}
                    <At iso={data.vacation.until} how="moment" />)
                  </>
                )}
              </Row>
            )}
          </ul>
        </>
      )}
    </Card>
  );
}

type RowProps = Readonly<{ what: string; end: (what: string) => Promise<void>; children: ComponentChildren }>;

function Row({ what, end, children }: RowProps) {
  const { remove: shown, removeOf, surely, own } = t.value.accounts;
  const named = own.inSentence(what);
  return (
    <li class="row act">
      <p>
        <strong>
          <Said text={what} />
        </strong>
        <br />
        <small>{children}</small>
      </p>
      <Surely label={removeOf(named)} shown={shown} surely={surely(named)} run={() => end(what)} />
    </li>
  );
}
