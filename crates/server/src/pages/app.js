// What pages do beyond showing: theme, keys, fragments that come later, forms that answer while one types, charts.
// Written by hand, without a build step; every page works without it, and nothing here comes from elsewhere.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));

  // ---- Theme -------------------------------------------------------------------------------------------------------
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const painted = () => {
    for (const meta of all('meta[name="theme-color"]')) { meta.removeAttribute("media"); meta.content = colour("--paper"); }
    for (const plot of all("[data-chart]")) if (plot.dataset.drawn) draw(plot);
  };
  const toggleTheme = () => {
    const next = isDark() ? "light" : "dark";
    root.dataset.theme = next;
    try { localStorage.setItem("theme", next); } catch { /* not kept then */ }
    painted();
  };
  dark.addEventListener("change", painted);

  // ---- Fragments ---------------------------------------------------------------------------------------------------
  // `data-src` names what belongs inside an element. What is asked for again replaces what was asked for before.
  const under = new WeakMap();
  const wait = (ms, signal) => new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(new DOMException("", "AbortError")); });
  });
  const failure = (said) => {
    const box = document.createElement("div");
    box.className = "notice bad";
    box.setAttribute("role", "alert");
    const line = document.createElement("p");
    line.textContent = said;
    const again = document.createElement("button");
    again.type = "button"; again.className = "button"; again.dataset.again = ""; again.textContent = "Ask again";
    box.append(line, again);
    return box;
  };
  const put = (place, html) => {
    place.innerHTML = html;
    place.removeAttribute("aria-busy");
    enliven(place);
    // What is under way says after how many seconds it wants to be looked at again.
    const poll = place.querySelector("[data-poll]");
    if (poll) setTimeout(() => { if (place.contains(poll) && !document.hidden) fetchInto(place, place.dataset.asked); }, Number(poll.dataset.poll) * 1000);
  };
  async function fetchInto(place, url, after = 0) {
    under.get(place)?.abort();
    const mine = new AbortController();
    under.set(place, mine);
    place.dataset.asked = url;
    try {
      if (after) await wait(after, mine.signal);
      place.setAttribute("aria-busy", "true");
      for (let tries = 0; ; tries += 1) {
        // `data-form` names a form with what is asked: a question too long for an address.
        const form = place.dataset.form && document.getElementById(place.dataset.form);
        const asked = form ? { method: "POST", body: new URLSearchParams(new FormData(form)) } : {};
        const answer = await fetch(url, { headers: { "x-fragment": "1" }, signal: mine.signal, credentials: "same-origin", ...asked });
        // A session that has ended is sent to where one logs in: the whole page goes there.
        if (answer.redirected) { location.assign(location.href); return false; }
        const html = await answer.text();
        if (mine.signal.aborted) return false;
        const again = Number(answer.headers.get("retry-after"));
        if (answer.status === 503 && again && tries < 40) {
          if (!place.querySelector(":scope > .old")) put(place, html);
          place.setAttribute("aria-busy", "true");
          await wait(Math.min(again, tries < 3 ? 4 : 15) * 1000, mine.signal);
          continue;
        }
        put(place, html);
        return answer.ok;
      }
    } catch (error) {
      if (error.name === "AbortError") return false;
      place.removeAttribute("aria-busy");
      place.replaceChildren(failure("The server cannot be reached. What is shown here may be old."));
      return false;
    }
  }
  const seen = "IntersectionObserver" in window
    ? new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); entry.target.enter?.(); }
    }, { rootMargin: "400px" })
    : null;
  const whenSeen = (element, enter) => { if (seen) { element.enter = enter; seen.observe(element); } else enter(); };

  // ---- Forms that answer while one types ---------------------------------------------------------------------------
  // `data-live` names the element that the answer goes into, `data-answer` where it is asked for. The old answer stays,
  // greyed, until the new one is there. The address follows, so that what is seen can be shared.
  const query = (form) => {
    const pairs = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && value.trim()) pairs.append(name, value);
    return pairs.toString();
  };
  const live = (form) => {
    const place = document.getElementById(form.dataset.live);
    if (!place) return;
    const ask = async (after) => {
      const asked = query(form);
      if (!place.querySelector(":scope > .old")) {
        const old = document.createElement("div");
        old.className = "old";
        old.append(...place.childNodes);
        place.append(old);
      }
      if (await fetchInto(place, `${form.dataset.answer}?${asked}`, after)) {
        history.replaceState(null, "", `${form.getAttribute("action") || location.pathname}?${asked}`);
      }
    };
    form.addEventListener("input", (event) => {
      const told = event.target.dataset.shows && document.getElementById(event.target.dataset.shows);
      if (told) told.value = event.target.value;
      if (form.checkValidity()) ask(Number(form.dataset.after) || 120);
    });
    form.addEventListener("submit", (event) => { event.preventDefault(); ask(0); });
  };

  // ---- Uploads -----------------------------------------------------------------------------------------------------
  // `data-upload` names where to go once a table was taken. A problem is said in words, and the form stays as it is.
  const upload = (form) => form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = form.querySelector(".told");
    const button = form.querySelector("button");
    button.disabled = true;
    told.textContent = "Uploading …";
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" });
      const said = await answer.json().catch(() => ({}));
      if (answer.ok) { location.assign(form.dataset.upload); return; }
      told.textContent = said.detail || `The server said ${answer.status}.`;
    } catch {
      told.textContent = "The server cannot be reached.";
    }
    button.disabled = false;
  });

  // ---- Charts ------------------------------------------------------------------------------------------------------
  let plotly = null;
  const loadPlotly = () => {
    plotly ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = document.querySelector('meta[name="plotly"]').content;
      script.onload = () => resolve(window.Plotly);
      script.onerror = reject;
      document.head.append(script);
    });
    return plotly;
  };
  // Colours are written as `var(--name)` in a chart's JSON, so that both themes share it.
  const resolved = (value) => {
    if (typeof value === "string") return value.startsWith("var(--") ? colour(value.slice(4, -1)) : value;
    if (Array.isArray(value)) return value.map(resolved);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolved(v)]));
    return value;
  };
  async function draw(plot) {
    const spec = plot.parentElement.querySelector('script[type="application/json"]');
    if (!spec) return;
    try {
      const Plotly = await loadPlotly();
      const { data, layout } = resolved(JSON.parse(spec.textContent));
      const axis = { gridcolor: colour("--rule"), linecolor: colour("--line"), zerolinecolor: colour("--line"), automargin: true, fixedrange: true };
      const whole = {
        autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, dragmode: false,
        margin: { l: 8, r: 12, t: 8, b: 8 }, colorway: [colour("--accent"), colour("--line"), colour("--loss")],
        font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("--soft") },
        hoverlabel: { bgcolor: colour("--raised"), bordercolor: colour("--line"), font: { color: colour("--ink") } },
        legend: { orientation: "h", y: 1.12, x: 0 }, ...layout,
      };
      for (const name of ["xaxis", "yaxis"]) whole[name] = { ...axis, ...(layout[name] || {}) };
      await Plotly.react(plot, data, whole, { displayModeBar: false, responsive: true });
      plot.dataset.drawn = "yes";
    } catch {
      plot.hidden = true;
      const numbers = plot.parentElement.querySelector("details.numbers");
      if (numbers) numbers.open = true;
    }
  }

  // ---- Keys --------------------------------------------------------------------------------------------------------
  let afterG = 0;
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (typing(event.target)) { if (event.key === "Escape") event.target.blur(); return; }
    const key = event.key.toLowerCase();
    if (key === "/") { const find = document.getElementById("find"); if (find) { event.preventDefault(); find.focus(); find.select(); } return; }
    if (event.key === "?") { document.getElementById("keys")?.showModal(); return; }
    if (afterG && Date.now() - afterG < 1200) {
      afterG = 0;
      const link = document.querySelector(`.rail a[data-key="${CSS.escape(key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    afterG = key === "g" ? Date.now() : 0;
  });

  // ---- Paper -------------------------------------------------------------------------------------------------------
  // A report is whole: what was not in sight yet is fetched and drawn first.
  async function printWhole() {
    await Promise.all(all("[data-src]").filter((place) => !place.dataset.asked).map((place) => fetchInto(place, place.dataset.src)));
    await Promise.all(all("[data-chart]").filter((plot) => !plot.dataset.drawn).map(draw));
    window.print();
  }

  // ---- Clicks ------------------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-theme-toggle], [data-keys], [data-print], [data-again], [data-close]");
    if (!target) return;
    if ("themeToggle" in target.dataset) toggleTheme();
    if ("keys" in target.dataset) document.getElementById("keys")?.showModal();
    if ("print" in target.dataset) printWhole();
    if ("close" in target.dataset) target.closest("dialog")?.close();
    if ("again" in target.dataset) {
      const place = target.closest("[data-asked]");
      if (place) fetchInto(place, place.dataset.asked); else location.reload();
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) { event.preventDefault(); return; }
    if (form.method === "post" && !event.defaultPrevented) for (const b of all("button", form)) setTimeout(() => { b.disabled = true; }, 0);
  });
  // A page that comes back out of the browser's history is not sent twice, but its buttons work.
  window.addEventListener("pageshow", (event) => { if (event.persisted) for (const b of all("form button[disabled]")) b.disabled = false; });
  window.addEventListener("beforeprint", () => {
    for (const d of all("details:not([open])")) { d.dataset.opened = "for paper"; d.open = true; }
    for (const plot of all("[data-chart]")) if (plot.dataset.drawn) window.Plotly?.Plots.resize(plot);
  });
  window.addEventListener("afterprint", () => { for (const d of all("details[data-opened]")) { d.open = false; delete d.dataset.opened; } });

  // ---- Events ------------------------------------------------------------------------------------------------------
  // `data-events` names a stream: what it tells is a reason to ask for the part again, at most once a second. Where there
  // is no stream, `data-poll` inside the part asks instead.
  const follow = (place) => {
    if (!("EventSource" in window)) { poll(place); return; }
    let timer = 0;
    const again = () => { timer ||= setTimeout(() => { timer = 0; fetchInto(place, place.dataset.asked); }, 700); };
    const stream = new EventSource(place.dataset.events);
    stream.addEventListener("job", (event) => {
      const only = place.dataset.only;
      if (!only || event.data.includes(only)) again();
    });
    stream.addEventListener("behind", again);
    // What happened before the stream was there is asked for once.
    stream.addEventListener("open", again);
    stream.addEventListener("error", () => { if (stream.readyState === EventSource.CLOSED) poll(place); });
    window.addEventListener("pagehide", () => stream.close());
  };
  const poll = (place) => {
    const told = place.querySelector("[data-poll]");
    if (told) setTimeout(() => { if (!document.hidden) fetchInto(place, place.dataset.asked).then(() => {}); }, Number(told.dataset.poll) * 1000);
  };

  // ---- Copying -----------------------------------------------------------------------------------------------------
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    const from = button && document.getElementById(button.dataset.copy);
    if (!from) return;
    const said = button.textContent;
    try { await navigator.clipboard.writeText(from.textContent.trim()); button.textContent = "Copied"; }
    catch { getSelection().selectAllChildren(from); button.textContent = "Marked: copy it with the keys"; }
    setTimeout(() => { button.textContent = said; }, 2500);
  });

  function enliven(within) {
    for (const place of all("[data-src]", within)) {
      const load = () => fetchInto(place, place.dataset.src);
      if ("now" in place.dataset) load(); else whenSeen(place, load);
    }
    for (const form of all("form[data-live]", within)) live(form);
    for (const place of all("[data-events]", within)) follow(place);
    for (const form of all("form[data-upload]", within)) upload(form);
    for (const plot of all("[data-chart]", within)) whenSeen(plot, () => draw(plot));
    // A whole page that is still being worked out asks again by itself.
    for (const place of all("[data-reload]", within)) setTimeout(() => location.reload(), Number(place.dataset.reload) * 1000);
  }
  enliven(document);
})();
