import { effect, signal } from "@preact/signals";
import { type JSX, render } from "preact";
import { useEffect } from "preact/hooks";
import type { Failure } from "./api.ts";
import { forgetToasts, notify, signedIn } from "./attempt.ts";
import { followStream, onGap } from "./live.ts";
import { language, t } from "./messages.ts";
import { SafeText, useProgram, Waiting } from "./parts.tsx";
import { ProofDialog } from "./proof.tsx";
import { go, type PageName, route, routeOf } from "./route.ts";
import { findSession, followTabs, reader, sessionFailure } from "./session.ts";
import { Heading, Shell, Toasts } from "./shell.tsx";
import { SignIn } from "./sign-in.tsx";

function App() {
  return (
    <>
      {signedIn.value === "yes" &&
        reader.value !== null &&
        (reader.value.role === "mailbox" ? <Mailbox /> : <Dashboard />)}
      {signedIn.value === "no" && <SignIn />}
      {signedIn.value === "unknown" && sessionFailure.value !== null && <SessionUnknown of={sessionFailure.value} />}
      <Toasts />
    </>
  );
}

function SessionUnknown({ of }: Readonly<{ of: Failure }>) {
  return (
    <main class="sign-in">
      <div class="card">
        <img src="icon.svg" alt="" width="56" height="56" />
        <Heading>GhostInbox</Heading>
        <p role="status">
          <SafeText {...of} /> {t.live.again}
        </p>
      </div>
    </main>
  );
}

function Dashboard() {
  useEffect(followStream, []);
  const { page } = route.value;
  // The page of a mailbox's user is only for that user.
  const name = page === "me" ? "now" : page;
  return (
    <Shell>
      <Page key={name} name={name} />
      <ProofDialog />
    </Shell>
  );
}

/** For the user of a mailbox there is one page, whatever the address says, without live updates. */
function Mailbox() {
  const { page } = route.value;
  useEffect(() => go("me", {}, "replace"), [page]);
  return (
    <Shell isOfMailbox>
      <Page name="me" />
      <ProofDialog />
    </Shell>
  );
}

type LoadedPages = Partial<Readonly<Record<PageName, () => JSX.Element>>>;

/** Two pages each have their own program; `further` contains all others. */
function programOf(name: PageName): Promise<LoadedPages> {
  if (name === "now") return import("./pages/now.tsx").then(({ NowPage }) => ({ now: NowPage }));
  if (name === "me") return import("./pages/me.tsx").then(({ MePage }) => ({ me: MePage }));
  return import("./pages/further.ts");
}

const loadedPages = signal<LoadedPages>({});

function Page({ name }: Readonly<{ name: PageName }>) {
  const Content = loadedPages.value[name];
  if (Content === undefined) return <PageLoader name={name} />;
  return (
    <>
      <Heading>{t.nav[name]}</Heading>
      <Content />
    </>
  );
}

function PageLoader({ name }: Readonly<{ name: PageName }>) {
  const program = useProgram(async () => {
    const pages = await programOf(name);
    loadedPages.value = { ...loadedPages.peek(), ...pages };
  });
  return <Waiting {...program} />;
}

document.documentElement.lang = language;
effect(() => {
  if (signedIn.value !== "no") return;
  forgetToasts();
  // Even if the server ended the session, because readers should know why they are asked for the password.
  if (reader.peek() !== null) notify(t.signedOut);
  reader.value = null;
});
onGap(() => notify(t.live.skipped));
window.addEventListener("hashchange", () => (route.value = routeOf(location.hash)));
const root = document.getElementById("page");
if (root !== null) render(<App />, root);
// This comes first: a browser that refuses cookies also refuses the channel, and the page must say so.
void findSession();
// A different path of the same host may lead to a different server.
followTabs(new BroadcastChannel(location.pathname), () => location.reload());
