/* abtest: asks which variant to show and reports conversions. See ../SPEC.md. */
(() => {
  "use strict";
  // The page comes first: nothing that goes wrong in here may reach it.
  const safely = (work) => (...given) => {
    try {
      return work(...given);
    } catch (error) {
      return null;
    }
  };
  const script =
    document.currentScript || document.querySelector("script[data-key][src*=abtest]");
  if (!script || (window.abtest || {}).track) return;

  const { key, domain, consent, experiments } = script.dataset;
  const api = new URL("/api/v1/", script.src).href;
  const required = consent === "required" || navigator.globalPrivacyControl;
  const query = new URLSearchParams(location.search);
  const forced = query.getAll("abtest_force").join();
  const COOKIE = "abtest_visitor";
  const QUEUE = "abtest_queue";
  const now = () => new Date().toISOString();
  const text = (value) => (value == null ? undefined : String(value));

  const hostOf = safely((url) => new URL(url).host);

  // UUID version 7: the time in milliseconds, then chance.
  const uuid = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    for (let i = 5, time = Date.now(); i >= 0; i--, time = Math.floor(time / 256)) {
      bytes[i] = time;
    }
    bytes[6] = (bytes[6] & 15) | 112;
    bytes[8] = (bytes[8] & 63) | 128;
    return Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1))
      .join("")
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };

  const readCookie = safely(
    () => document.cookie.match(`(?:^|; )${COOKIE}=([^;]+)`)[1]
  );
  const writeCookie = safely((value, days) => {
    document.cookie =
      `${COOKIE}=${value}; Path=/; SameSite=Lax; Max-Age=${days * 86400}` +
      (domain ? `; Domain=${domain}` : "") +
      (location.protocol === "https:" ? "; Secure" : "");
  });

  const post = (path, body, limit) => {
    const sent = JSON.stringify(body);
    const cancel = new AbortController();
    const timer = setTimeout(() => cancel.abort(), limit);
    // A string travels as text/plain: without a preflight it outlives the page.
    return fetch(api + path, {
      method: "POST",
      body: sent,
      keepalive: sent.length < 2e4,
      credentials: "omit",
      signal: cancel.signal,
    })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer)))
      .finally(() => clearTimeout(timer));
  };

  let visitor = null;
  let assigned = {};
  let begun = false;
  let settled = false;
  // True, false, or null while nobody has answered. The cookie of an earlier page
  // remembers the consent that was given there.
  let granted = required && !readCookie() ? null : true;
  const listeners = [];

  // An event waits in `early` until the visitor is assigned, so that it does not come
  // before the exposure; then in the queue until the service has acknowledged it.
  let early = [];
  let memory = [];
  let stored = true;
  let flying = [];
  let waved = [];
  let tries = 0;
  let retry;

  const load = () => {
    try {
      const oldest = Date.now() - 7 * 864e5;
      if (stored) {
        const kept = JSON.parse(localStorage.getItem(QUEUE)) || [];
        return kept.filter((event) => Date.parse(event.at) > oldest);
      }
    } catch (error) {
      stored = false;
    }
    return memory;
  };
  const save = (events) => {
    memory = events.slice(-50);
    try {
      if (memory[0]) localStorage.setItem(QUEUE, JSON.stringify(memory));
      else localStorage.removeItem(QUEUE);
      stored = true;
    } catch (error) {
      stored = false;
    }
  };
  const without = (events, others) =>
    events.filter(({ id }) => !others.some((other) => other.id === id));
  const batch = (events) => ({ key, sent_at: now(), events });

  const flush = safely(() => {
    clearTimeout(retry);
    if (!granted || flying[0]) return;
    flying = load();
    if (!flying[0]) return;
    post("events", batch(flying), 1e4)
      .catch((answer) => {
        const { status } = answer;
        if (!(status >= 400 && status < 500) || status === 429) throw answer;
      })
      .then(
        () => {
          save(without(load(), flying));
          flying = [];
          tries = 0;
          flush();
        },
        () => {
          flying = [];
          const wait = Math.min(30, 2 ** tries / 2) * (500 + 1000 * Math.random());
          if (++tries < 9) retry = setTimeout(flush, wait);
        }
      );
  });
  const admit = () => {
    if (!granted || !early[0]) return;
    const events = early.map((event) => ({ ...event, visitor, at: now() }));
    early = [];
    // Nobody is a visitor without an id, nor when a variant is forced.
    if (visitor) save(load().concat(events));
  };
  const record = (event) => {
    if (granted === false) return;
    early.push({ id: uuid(), ...event });
    if (settled) {
      admit();
      flush();
    }
  };
  const leave = safely(() => {
    admit();
    const events = granted ? without(load(), flying.concat(waved)) : [];
    const body = JSON.stringify(batch(events));
    if (events[0] && navigator.sendBeacon(`${api}events`, body)) {
      waved = waved.concat(events);
    }
  });

  const assign = () => {
    const body = { key, url: location.origin + location.pathname };
    // Where a visit comes from, as coarse as it can be: no other part of the query,
    // and of the page before no more than its host.
    const source = query.get("utm_source");
    if (source) body.url += `?utm_source=${encodeURIComponent(source)}`;
    const referrer = hostOf(document.referrer);
    if (referrer && referrer !== location.host) body.attributes = { referrer };
    if (required) body.consent = true;
    if (experiments) body.experiments = experiments.split(",").map((e) => e.trim());
    if (forced) {
      // A look at a variant is nobody's visit.
      body.visitor = uuid();
      body.force = {};
      forced.split(",").forEach((pair) => {
        const [, experiment, variant] = pair.match(/^([^.]+)\.(.+)$/);
        body.force[experiment] = variant;
      });
      body.experiments = Object.keys(body.force);
    } else {
      if (!readCookie()) writeCookie(uuid(), 395);
      // Whoever cannot keep an id would be somebody else on every page: control.
      visitor = body.visitor = readCookie();
      if (!visitor) return {};
    }
    return post("assign", body, 1000).then((answer) => answer.assignments || {});
  };
  const begin = () => {
    begun = true;
    settled = false;
    Promise.resolve()
      .then(() => (granted ? assign() : {}))
      .catch(() => ({}))
      .then((answer) => {
        assigned = granted ? answer : {};
        settled = true;
        Object.keys(assigned).forEach(
          safely((experiment) => {
            const { variant } = assigned[experiment];
            document.documentElement.classList.add(`abtest-${experiment}-${variant}`);
          })
        );
        const detail = { assignments: assigned };
        document.dispatchEvent(new CustomEvent("abtest:ready", { detail }));
        listeners.forEach(call);
        admit();
        flush();
      });
  };

  const abtest = {
    ready: (listener) => {
      if (listener) {
        listeners.push(listener);
        if (settled) call(listener);
      }
      return settled ? Promise.resolve(abtest) : new Promise((r) => listeners.push(r));
    },
    variant: (experiment) => (assigned[experiment] || {}).variant || null,
    payload: (experiment) => (assigned[experiment] || {}).payload || {},
    track: (step, given) => {
      const { value, currency, order, customer } = given || {};
      const amount = text(value) && text(value).trim() ? Number(value) : NaN;
      record({
        type: "conversion",
        step: text(step),
        value: isFinite(amount) ? amount : undefined,
        currency: text(currency),
        order: text(order),
        customer: text(customer),
      });
    },
    identify: (customer) => record({ type: "identify", customer: text(customer) }),
    consent: (given) => {
      const before = granted;
      granted = !!given;
      if (!granted) {
        early = [];
        save(early);
        writeCookie("", 0);
        visitor = null;
      } else if (!before && begun) begin();
    },
    visitor: () => visitor,
  };
  // An error of the page's own listener shows in the console and stops nobody else.
  const call = (listener) => Promise.resolve(abtest).then(listener);
  Object.keys(abtest).forEach((name) => {
    abtest[name] = safely(abtest[name]);
  });
  window.abtest = abtest;

  const run = safely(([name, ...given]) => abtest[name](...given));
  const queued = window.abtestq;
  window.abtestq = { push: (...calls) => calls.forEach(run) };
  if (Array.isArray(queued)) queued.forEach(run);

  // An element counts once per page, however often it is clicked.
  const counted = new WeakSet();
  const convert = safely(({ target, type }) => {
    const element = target.closest("[data-abtest-convert]");
    const isForm = element.tagName === "FORM";
    if (isForm !== (type === "submit") || counted.has(element)) return;
    counted.add(element);
    const { abtestConvert, abtestValue, abtestCurrency, abtestOrder } = element.dataset;
    abtest.track(abtestConvert, {
      value: abtestValue,
      currency: abtestCurrency,
      order: abtestOrder,
    });
  });
  document.addEventListener("click", convert, true);
  document.addEventListener("submit", convert, true);
  document.addEventListener("visibilitychange", () =>
    document.visibilityState === "hidden" ? leave() : flush()
  );
  addEventListener("pagehide", leave);
  addEventListener("online", () => {
    tries = 0;
    flush();
  });

  // A page that is rendered ahead has not been seen.
  if (document.prerendering) {
    document.addEventListener("prerenderingchange", begin, { once: true });
  } else begin();
})();
