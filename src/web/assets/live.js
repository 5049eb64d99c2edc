// Keeps a page as it is now: hears that something changed, fetches the page anew, and puts in what is different.
// Without it every page and form works; then a page is as it was when it was loaded.
"use strict";
(() => {
  const main = () => document.getElementById("content");
  const news = document.getElementById("news");
  let source = null;
  let asked = "";
  let busy = false;
  let again = false;

  // The exact moment is told in the reader's own time zone as well.
  const localize = (root) => {
    for (const time of root.querySelectorAll("time[datetime]:not([data-here])")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.dataset.here = "";
      time.title = `${at.toLocaleString()} (${time.title})`;
    }
  };

  // What somebody fills in, has selected or unfolded is left as it is.
  const inUse = (part) => {
    const active = document.activeElement;
    if (active && part.contains(active) && active.matches("input:not([type=hidden]), select, textarea")) return true;
    for (const field of part.querySelectorAll("input:not([type=hidden]), textarea")) {
      if (field.value !== field.defaultValue || field.checked !== field.defaultChecked) return true;
    }
    if (part.querySelector("details.act[open]")) return true;
    const selection = document.getSelection();
    return Boolean(selection && !selection.isCollapsed && part.contains(selection.anchorNode));
  };

  const place = (element) => {
    if (!element || element === document.body) return null;
    if (element.id) return `#${CSS.escape(element.id)}`;
    if (element.matches("a[href]")) return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
    if (element.matches("form button")) return `form[action="${CSS.escape(element.form.getAttribute("action") || "")}"] button`;
    return null;
  };

  const swap = (before, after) => {
    // Parts with a name are put in one by one, so that one in use keeps none of the others back.
    // What was said after an act stays until the page is left.
    const parts = [...before.children].filter((part) => part.id !== "said");
    const others = [...after.children].filter((part) => part.id !== "said");
    const alike = parts.length === others.length && parts.every((part, index) => part.tagName === others[index].tagName && part.id === others[index].id);
    if (!alike) {
      if (inUse(before)) return;
      for (const part of parts) part.remove();
      before.append(...others);
      return;
    }
    parts.forEach((part, index) => {
      const other = others[index];
      if (strip(part) === strip(other)) return;
      if (!inUse(part)) part.replaceWith(other);
      else if (part.matches(".two, section, ul, li")) swap(part, other);
    });
  };

  // What the script itself has written is no difference.
  const strip = (part) => {
    const copy = part.cloneNode(true);
    for (const time of [copy, ...copy.querySelectorAll("time")]) {
      if (time.tagName === "TIME") { time.removeAttribute("data-here"); time.removeAttribute("title"); }
    }
    for (const open of copy.querySelectorAll("details[open]")) open.removeAttribute("open");
    return copy.outerHTML;
  };

  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    const before = main();
    before.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const after = page.getElementById("content");
        if (after) {
          const focused = place(document.activeElement);
          const open = [...before.querySelectorAll("details[id][open]")].map((one) => one.id);
          const told = before.dataset.news;
          swap(before, after);
          for (const name of ["commits", "runs", "news"]) before.dataset[name] = after.dataset[name] || "";
          for (const id of open) document.getElementById(id)?.setAttribute("open", "");
          if (focused && (document.activeElement === document.body || !document.activeElement)) before.querySelector(focused)?.focus({ preventScroll: true });
          localize(before);
          const now = before.dataset.news.trim();
          if (now && now !== (told || "").trim()) news.textContent = now;
        }
      }
    } catch {
      // The daemon stops, or is out of reach: the stream finds it again.
    }
    main().removeAttribute("aria-busy");
    busy = false;
    if (again) { again = false; refresh(); } else listen();
  };

  const listen = () => {
    const { commits = "", runs = "" } = main().dataset;
    const query = new URLSearchParams({ since: commits });
    for (const run of runs.split(/\s+/).filter(Boolean)) query.append("run", run);
    // A stream goes on as long as it follows the same runs.
    if (source && source.readyState !== EventSource.CLOSED && asked === runs.trim()) return;
    source?.close();
    asked = runs.trim();
    source = new EventSource(`/live?${query}`);
    source.addEventListener("changed", refresh);
    // A browser tries again by itself with the old address: after that everything may be different.
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(() => { if (!document.hidden) refresh(); }, 15000);
    });
  };

  localize(document);
  // Nobody asks for the same twice by pressing twice.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    setTimeout(() => { for (const button of event.target.querySelectorAll("button")) button.disabled = true; }, 0);
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) for (const button of document.querySelectorAll("button[disabled]")) button.disabled = false;
  });
  if (!main() || !("live" in main().dataset) || !window.EventSource) return;
  // What is said once stands no longer in the address, so that loading it again does not say it again.
  if (document.getElementById("said")) {
    const address = new URL(location.href);
    address.searchParams.delete("done");
    address.searchParams.delete("of");
    history.replaceState(null, "", address);
  }
  // A page that nobody sees takes none of the daemon's places.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { source?.close(); source = null; } else { refresh(); }
  });
  if (!document.hidden) listen();
})();
