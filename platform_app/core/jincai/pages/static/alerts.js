// New alerts at the top of the list, as they come. Without this the page is the same, only still.
"use strict";
(() => {
  const list = document.getElementById("list");
  const rows = document.getElementById("rows");
  const counter = document.getElementById("counter");
  const count = document.getElementById("count");
  const live = document.getElementById("live");
  const said = document.getElementById("said");
  const title = document.title;
  const most = Number(list.dataset.insert || 0);
  const asked = new URLSearchParams(location.search);
  const seen = new Set([...rows.children].map((row) => row.dataset.id));
  const RETRY = 10000;
  const SEEN_MOST = 20000;
  let last = "";
  let unread = 0;
  let untold = { n: 0, red: 0 };
  let telling = 0;

  const state = (name) => {
    live.hidden = false;
    live.textContent = live.dataset[name];
    live.classList.toggle("off", name !== "on");
  };

  // What the page's own conditions say; the server has seen to what one may see at all.
  const wanted = (one) =>
    ["level", "rule", "stage", "disposal", "agency_code", "division", "fiscal_year"].every(
      (name) => !asked.get(name) || asked.get(name) === String(one[name])) &&
    (!asked.get("date_from") || one.as_of >= asked.get("date_from")) &&
    (!asked.get("date_to") || one.as_of <= asked.get("date_to"));

  // A burst is told once: nobody listens to fifty sentences.
  const tell = (one) => {
    untold.n += 1;
    untold.red += one.level === "red" ? 1 : 0;
    telling ||= setTimeout(() => {
      said.textContent = said.dataset.said.replace("{n}", untold.n).replace("{red}", untold.red);
      untold = { n: 0, red: 0 };
      telling = 0;
    }, 1000);
  };

  const insert = (one) => {
    const made = document.createElement("template");
    made.innerHTML = one.html.trim(); // made by our own server, every text in it escaped
    const row = made.content.querySelector("tr");
    row.classList.add("fresh");
    // By number, since a transaction that took longer comes later with smaller ones.
    const before = [...rows.children].find((other) => Number(other.dataset.id) < one.id);
    rows.insertBefore(row, before || null);
    while (rows.children.length > most) rows.lastElementChild.remove();
    list.hidden = false;
    document.getElementById("empty")?.remove();
  };

  const take = (event) => {
    last = event.lastEventId || last;
    const one = JSON.parse(event.data);
    if (seen.has(String(one.id)) || !wanted(one)) return;
    if (seen.size > SEEN_MOST) seen.clear();
    seen.add(String(one.id));
    if (most) insert(one);
    unread += 1;
    count.textContent = unread;
    counter.hidden = false;
    document.title = `(${unread}) ${title}`;
    tell(one);
  };

  counter.addEventListener("click", () => {
    if (!most) {
      location.assign(location.pathname);
      return;
    }
    unread = 0;
    counter.hidden = true;
    document.title = title;
    for (const row of rows.querySelectorAll(".fresh")) row.classList.remove("fresh");
    window.scrollTo({ top: 0 });
  });

  const open = () => {
    const address = new URL(list.dataset.stream, location.href);
    if (last) address.searchParams.set("after", last);
    const source = new EventSource(address);
    source.onopen = () => state("on");
    source.addEventListener("alert", take);
    source.addEventListener("gap", () => state("gap"));
    source.addEventListener("ended", () => { source.close(); state("ended"); });
    source.onerror = () => {
      state("off");
      // The browser tries again by itself unless it was answered with an error.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, RETRY);
    };
    window.addEventListener("pagehide", () => source.close());
  };
  // A page that comes back from the browser's memory has missed something.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  open();
})();
