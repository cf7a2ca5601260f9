import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { MOST_APP_PASSWORDS } from "../../../src/admin/mailboxes.ts";
import { endSessions, SecretsCard, SessionRow } from "../../access-rows.tsx";
import { type Answer, request } from "../../api.ts";
import { ActionButton, Form, NewPassword, PagerButtons } from "../../controls.tsx";
import { t } from "../../mailbox-texts.ts";
import { Button, Card, Field, Rows, SafeText, State, Time, useAnswer, useFocusOnOpen } from "../../parts.tsx";
import { Secret } from "../../secrets.tsx";
import { change, reader, withProof } from "../../session.ts";

const words = t.me;
const { apps } = t.mailboxSettings;

/** How often the reader has set a new password here, which ends sessions and removes app passwords. */
const passwordsSet = signal(0);

/** `isOnServer`: only the administrator changes the password, on the server. */
export function PasswordCard({ isOnServer }: Readonly<{ isOnServer: boolean }>) {
  return (
    <Card title={words.password} hint={isOnServer ? words.passwordOnServer : words.passwordHint}>
      {!isOnServer && <PasswordForm done={() => undefined} />}
    </Card>
  );
}

function PasswordForm({ done }: Readonly<{ done: () => void }>) {
  const submit = async ({ password = "" }): Promise<void> => {
    const ask = () => request("POST /me/password", { body: { password } });
    await change(ask, () => (passwordsSet.value += 1), words.passwordSet);
    done();
  };
  return (
    <Form label={words.setPassword} clears submit={submit}>
      <input type="text" name="username" value={reader.value?.account ?? ""} autocomplete="username" hidden readOnly />
      <NewPassword label={words.newPassword} required />
    </Form>
  );
}

const MOST_PASSWORDS: typeof MOST_APP_PASSWORDS = 20;

/** `isOnServer`: none can be created, but existing ones can be removed. */
export function AppPasswordsCard({ isOnServer }: Readonly<{ isOnServer: boolean }>) {
  return (
    <SecretsCard
      list={useAnswer("GET /me/app-passwords", {}, passwordsSet.value)}
      remove={(id) => request("DELETE /me/app-passwords/{id}", { params: { id } })}
      madeAt={({ made }) => made}
      words={apps}
    >
      {isOnServer ? null : (items, reload) => <MakeAppPassword isFull={items.length >= MOST_PASSWORDS} made={reload} />}
    </SecretsCard>
  );
}

function MakeAppPassword({ isFull, made }: Readonly<{ isFull: boolean; made: () => void }>) {
  const [fresh, setFresh] = useState<Answer<"POST /me/app-passwords"> | null>(null);
  const submit = async ({ name = "" }): Promise<void> => {
    const ask = async () => {
      const { items } = await request("GET /me/app-passwords");
      if (items.some((one) => one.name === name)) throw new Error(apps.alreadyThere(name));
      return request("POST /me/app-passwords", { body: { name } });
    };
    setFresh(await withProof(ask).finally(made));
  };
  return (
    <>
      {fresh !== null && (
        <Secret
          message={apps.says(fresh.name)}
          label={apps.label}
          secret={fresh.password}
          close={() => setFresh(null)}
        />
      )}
      {isFull && <p class="hint">{apps.most}</p>}
      <Form label={apps.make} isPlain clears submit={submit}>
        <Field label={apps.name} name="name" required maxLength={40} />
      </Form>
    </>
  );
}

const MOST_SHOWN = 10;

export function SignInsCard({ isPasswordOnServer }: Readonly<{ isPasswordOnServer: boolean }>) {
  const [cursor, setCursor] = useState("");
  const list = useAnswer("GET /me/sign-ins", { query: { limit: MOST_SHOWN, cursor } });
  const { data } = list;
  const hasRight = data?.items.some(({ isRight }) => isRight) ?? false;
  return (
    <Card title={words.signIns} hint={words.signInsHint}>
      <Rows of={list} none={cursor === "" && data?.next === null ? words.noSignIns : undefined}>
        {({ at, ip, service, isRight, what }, index) => (
          <li key={`${at} ${index}`} class="row brief">
            <State status={isRight ? "ok" : "degraded"}>{words.whats[what]}</State>
            <SafeText text={`${service ?? ""} ${ip ?? ""}`} />
            <Time iso={at} how="moment" />
          </li>
        )}
      </Rows>
      {hasRight && <SignInQuestion key={cursor} isPasswordOnServer={isPasswordOnServer} />}
      <PagerButtons
        first={cursor === "" ? null : () => setCursor("")}
        next={data === null || data.next === null ? null : () => setCursor(data.next ?? "")}
      />
    </Card>
  );
}

function SignInQuestion({ isPasswordOnServer }: Readonly<{ isPasswordOnServer: boolean }>) {
  const [answer, setAnswer] = useState<"yes" | "no" | null>(null);
  return (
    <>
      <div class="bar">
        <strong>{words.askYou}</strong>
        <Button text={words.yes} aria-pressed={answer === "yes"} onClick={() => setAnswer("yes")} />
        <Button text={words.no} aria-pressed={answer === "no"} onClick={() => setAnswer("no")} />
      </div>
      <p role="status">{answer === "yes" && words.thanks}</p>
      {answer === "no" && <NotYou isPasswordOnServer={isPasswordOnServer} done={() => setAnswer(null)} />}
    </>
  );
}

function NotYou({ isPasswordOnServer, done }: Readonly<{ isPasswordOnServer: boolean; done: () => void }>) {
  const section = useFocusOnOpen();
  return (
    <section ref={section} tabIndex={-1} class="preview" aria-label={words.no}>
      <p>
        {isPasswordOnServer ? words.passwordOnServer : words.notYou} {words.notYouForwards}
      </p>
      {!isPasswordOnServer && <PasswordForm done={done} />}
    </section>
  );
}

export function OwnSessionsCard() {
  const list = useAnswer("GET /me/sessions", {}, passwordsSet.value);
  const { data, reload } = list;
  const isAlone = data?.items.every(({ isOwn }) => isOwn) ?? true;
  return (
    <Card title={words.sessions} hint={words.sessionsHint}>
      <Rows of={list}>{(item) => <SessionRow key={item.id} item={item} />}</Rows>
      {data !== null && isAlone && <p class="empty">{t.browsers.alone}</p>}
      {!isAlone && (
        <div class="buttons">
          <ActionButton
            text={words.endOthers}
            kind="danger"
            run={() => endSessions(() => request("DELETE /me/sessions"), reload)}
          />
        </div>
      )}
    </Card>
  );
}
