import type { PreviewAnswer } from "../../../src/admin/settings.ts";
import { t } from "../../admin-texts.ts";
import { whole } from "../../format.ts";
import { Address, Button, OpenedCard, SafeText } from "../../parts.tsx";

const words = t.settings;

type Trial = NonNullable<PreviewAnswer["trial"]>;
type Props = Readonly<{ preview: PreviewAnswer; isBusy: boolean; apply: () => void; back: () => void }>;

export function SettingPreview({ preview, isBusy, apply, back }: Props) {
  const { problems, lines, restarts, warnings, trial } = preview;
  return (
    <OpenedCard title={problems.length > 0 ? words.problems : words.preview}>
      {problems.length > 0 && (
        <div role="alert">
          <ul class="rows">
            {problems.map(({ key, says }) => (
              <li key={key} class="row brief">
                <SafeText text={says} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {lines.length > 0 && <h3>{words.lines}</h3>}
      {problems.length === 0 && lines.length === 0 && <p class="empty">{words.nothing}</p>}
      {lines.map(({ key, line, removed, added }) => (
        <pre key={key} class="diff" tabIndex={0} aria-label={`${key}${line === null ? "" : `, ${line}`}`}>
          {removed.map((one) => (
            <del key={one}>{`- ${one}\n`}</del>
          ))}
          {added.map((one) => (
            <ins key={one}>{`+ ${one}\n`}</ins>
          ))}
        </pre>
      ))}
      {restarts.length > 0 && <p>{words.restarts(restarts.join(", "))}</p>}
      {warnings.map((one) => (
        <SafeText key={one} within="p" text={one} />
      ))}
      {trial !== null && <Tried trial={trial} />}
      <div class="buttons">
        {lines.length > 0 && <Button text={words.apply} class="primary" aria-disabled={isBusy} onClick={apply} />}
        <Button text={words.back} aria-disabled={isBusy} onClick={back} />
      </div>
    </OpenedCard>
  );
}

function Tried({ trial }: Readonly<{ trial: Trial }>) {
  const { outcome, events, cut, banned, notBanned, accounts } = trial;
  const isSame = banned.total + notBanned.total + accounts.total === 0;
  return (
    <>
      <h3>{words.trial}</h3>
      {outcome !== "done" && <p>{outcome === "busy" ? words.busy : words.tooLong}</p>}
      {outcome === "done" && (
        <p>
          {events === 0 ? words.noEvents : words.compared(whole(events))} {cut && words.cut}{" "}
          {isSame && events > 0 && words.same}
        </p>
      )}
      {accounts.total > 0 && (
        <>
          <p class="error">{words.accounts(whole(accounts.total))}</p>
          <ul class="facts">
            {accounts.items.map(({ account, ip }) => (
              <li key={account}>
                <SafeText text={account} /> (<Address of={ip} />)
              </li>
            ))}
          </ul>
        </>
      )}
      <Addresses title={words.banned(whole(banned.total))} of={banned} />
      <Addresses title={words.notBanned(whole(notBanned.total))} of={notBanned} />
    </>
  );
}

function Addresses({ title, of }: Readonly<{ title: string; of: Trial["banned"] }>) {
  if (of.total === 0) return null;
  return (
    <>
      <p>{title}</p>
      <ul class="facts">
        {of.items.map(({ ip }) => (
          <li key={ip}>
            <Address of={ip} />
          </li>
        ))}
      </ul>
    </>
  );
}
