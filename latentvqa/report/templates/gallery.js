"use strict";
(() => {
  const bins = 20; // of the histogram
  const firstCards = 40, mostCardsAtOnce = 480; // that a step down the page adds
  const glance = 250; // milliseconds from look to look at what is read by now
  const find = (query, within = document) => within.querySelector(query);
  // a selector of one class: one with a combinator takes thirty times as long
  const textIn = (card, query) => find(query, card)?.textContent ?? "";
  const number = new Intl.NumberFormat("en").format;

  const search = find("#words"), slider = find("#below"), order = find("#order");
  const markButtons = [...document.querySelectorAll(".marks button")];
  const rows = []; // in the order of the file
  const rowOf = new Map(); // by the element of the card
  let sorted = rows, shown = rows; // sorted: all of them; shown: those that are asked for
  let placed = 0; // how many of the shown are on the page: more come as it is scrolled
  let mark = "all";
  let newest = null, isWhole = false, isSearchable = false;

  document.documentElement.classList.add("scripted");

  // Pictures: the address waits in <noscript>, as text, until the card comes near.

  function addressFor(card) {
    const carrier = card.dataset.carrier ? document.getElementById(card.dataset.carrier) : card;
    const markup = find("noscript", carrier)?.textContent ?? "";
    const start = markup.indexOf("data:image/");
    return start < 0 ? null : markup.slice(start, markup.indexOf('"', start));
  }

  function newPicture(card) {
    const address = addressFor(card);
    if (address === null) return "no picture";
    const image = new Image();
    image.decoding = "async";
    image.alt = textIn(card, ".image");
    image.src = address;
    return image;
  }

  function complete(card) {
    observer.unobserve(card);
    const row = rowOf.get(card);
    if (row.button !== null) return;
    row.button = document.createElement("button");
    row.button.type = "button";
    row.button.className = "picture";
    row.button.setAttribute("aria-haspopup", "dialog");
    row.button.setAttribute("aria-label", `Open ${textIn(card, ".image")}`);
    row.button.append(newPicture(card));
    // what stands for the picture without scripts stays: later cards may need the address
    const picture = find(".picture", card);
    picture.hidden = true;
    picture.before(row.button);
  }

  const observer = new IntersectionObserver(
    (changes) => changes.forEach((change) => change.isIntersecting && complete(change.target)),
    { rootMargin: "600px" },
  );

  // Cards, taken in while the file is still being read.

  function takeIn(card) {
    const { marks, confidence, carrier } = card.dataset;
    const row = {
      card,
      button: null,
      marks: marks ? marks.split(" ") : [],
      confidence: confidence === undefined ? null : Number(confidence),
      image: carrier ?? card.id, // rows of one picture have the same
      position: rows.length,
      nameKey: null,
      text: "",
    };
    rows.push(row);
    rowOf.set(card, row);
  }

  function takeInNew() {
    const list = find("#rows");
    let card = newest === null ? list?.firstElementChild : newest.nextElementSibling;
    // the last one may be there in part
    for (; card && (isWhole || card.nextElementSibling); card = card.nextElementSibling) {
      takeIn(card);
      newest = card;
    }
  }

  function followTheFile() {
    if (isWhole) return;
    takeInNew();
    for (; placed < Math.min(firstCards, rows.length); placed += 1) reveal(rows[placed]);
    find(".count").textContent = `${number(rows.length)} read`;
    // frames that show nothing new would keep the file waiting
    if (placed < firstCards) requestAnimationFrame(followTheFile);
    else setTimeout(followTheFile, glance);
  }

  // What is on the page: of the cards that are shown the first, and more as one scrolls.

  function reveal(row) {
    row.card.classList.add("placed");
    if (row.button === null) observer.observe(row.card);
  }

  function place(count) {
    const fragment = document.createDocumentFragment();
    for (const row of shown.slice(placed, count)) {
      reveal(row);
      fragment.append(row.card);
    }
    placed = Math.min(count, shown.length);
    find("#rows").append(fragment);
    find(".more").hidden = placed === shown.length;
    belowAll.disconnect();
    belowAll.observe(find(".more")); // tells anew where it stands
  }

  const belowAll = new IntersectionObserver(
    (changes) => changes.at(-1).isIntersecting && placeMore(),
    { rootMargin: "1500px" },
  );

  function placeMore() {
    place(placed + Math.min(Math.max(placed, firstCards), mostCardsAtOnce));
  }

  function clear() {
    for (const { card } of shown.slice(0, placed)) {
      card.classList.remove("placed");
      observer.unobserve(card);
    }
    placed = 0;
  }

  // What is asked for.

  // letters alone: no case, no accents of Latin letters
  const folded = (text) =>
    text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replaceAll("\u0111", "d");

  function makeSearchable() {
    if (isSearchable) return;
    isSearchable = true;
    for (const row of rows) {
      const parts = [".image", ".question", ".given"].map((query) => textIn(row.card, query));
      row.text = folded(parts.join("\n"));
    }
  }

  function narrow() {
    const words = folded(search.value).split(/\s+/).filter(Boolean);
    if (words.length > 0) makeSearchable();
    const limit = slider.value > 100 ? Infinity : slider.value / 100;
    const isHeld = (row) =>
      (limit === Infinity || (row.confidence !== null && row.confidence < limit)) &&
      words.every((word) => row.text.includes(word));
    const counts = { all: 0, right: 0, wrong: 0, flagged: 0, error: 0 };
    clear();
    shown = [];
    for (const row of sorted) {
      if (!isHeld(row)) continue;
      counts.all += 1;
      for (const one of row.marks) counts[one] += 1;
      if (mark === "all" || row.marks.includes(mark)) shown.push(row);
    }
    place(firstCards);
    tell(counts, limit);
    returnToTheFirst();
  }

  function tell(counts, limit) {
    for (const button of markButtons) {
      find("span", button).textContent = number(counts[button.dataset.mark]);
      button.setAttribute("aria-pressed", button.dataset.mark === mark);
    }
    const below = limit === Infinity ? "any" : `below ${slider.value} %`;
    find("#below-text").textContent = below;
    slider.setAttribute("aria-valuetext", below);
    find(".count").textContent = `${number(shown.length)} of ${number(rows.length)}`;
    find(".none").hidden = shown.length > 0;
    [...find(".histogram").children].forEach((bar, bin) =>
      bar.classList.toggle("held", bin / bins < limit),
    );
  }

  function returnToTheFirst() {
    if (window.scrollY === 0) return;
    const top = find("#rows").getBoundingClientRect().top - find(".tools").offsetHeight;
    if (top < 0) window.scrollBy(0, top - 18);
  }

  const compared = (one, other) => (one < other ? -1 : Number(one > other));
  // 2.jpg before 10.jpg; a collator of the browser takes twenty times as long
  const nameKey = (name) => folded(name).replace(/\d+/g, (digits) => digits.padStart(20, "0"));
  const orders = {
    file: () => 0,
    // what has no confidence comes last either way
    least: (one, other) => (one.confidence ?? 2) - (other.confidence ?? 2),
    surest: (one, other) => (other.confidence ?? -1) - (one.confidence ?? -1),
    name: (one, other) => compared(one.nameKey, other.nameKey),
  };

  function sort() {
    if (order.value === "name")
      for (const row of rows) row.nameKey ??= nameKey(textIn(row.card, ".image"));
    sorted = [...rows].sort(orders[order.value]);
    narrow();
  }

  function reset() {
    search.value = "";
    slider.value = slider.max;
    mark = "all";
    narrow();
  }

  function drawHistogram() {
    const counts = new Array(bins).fill(0);
    for (const { confidence } of rows)
      if (confidence !== null) counts[Math.min(bins - 1, Math.floor(confidence * bins))] += 1;
    const highest = Math.max(...counts, 1);
    for (const count of counts) {
      const bar = document.createElement("i");
      // a root lets few be seen beside many
      bar.style.height = `${100 * Math.sqrt(count / highest)}%`;
      find(".histogram").append(bar);
    }
  }

  // One answer, large.

  let large = null, opened = null;

  function open(row) {
    opened = row;
    const at = shown.indexOf(row);
    find(".large-picture").replaceChildren(newPicture(row.card));
    find(".large-said").replaceChildren(find(".said", row.card).cloneNode(true));
    find(".place").textContent = `${number(at + 1)} of ${number(shown.length)}`;
    // a button that is disabled would lose the focus
    find("#previous").setAttribute("aria-disabled", at <= 0);
    find("#next").setAttribute("aria-disabled", at >= shown.length - 1);
    const others = rows.filter((other) => other.image === row.image && other !== row);
    find(".same").hidden = others.length === 0;
    find(".same ul").replaceChildren(...others.map(reference));
    find(".large-side").scrollTop = 0;
    if (!large.open) large.showModal();
  }

  function reference(row) {
    const [item, button, question, answer] = ["li", "button", "span", "b"].map((name) =>
      document.createElement(name),
    );
    button.type = "button";
    question.textContent = textIn(row.card, ".question");
    answer.textContent = textIn(row.card, ".given") || "error";
    question.dir = answer.dir = "auto";
    button.append(question, " ", answer);
    button.addEventListener("click", () => {
      if (!shown.includes(row)) reset();
      open(row);
      find("#close").focus();
    });
    item.append(button);
    return item;
  }

  function step(by) {
    const row = shown[shown.indexOf(opened) + by];
    if (row !== undefined) open(row);
  }

  function returnToCard() {
    find(".large-picture").replaceChildren();
    const at = shown.indexOf(opened);
    if (at >= placed) place(at + firstCards);
    complete(opened.card);
    opened.button.focus({ preventScroll: true });
    opened.card.scrollIntoView({ block: "nearest" });
  }

  const isPlain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;

  function listen() {
    large = find("#large");
    search.addEventListener("input", narrow);
    slider.addEventListener("input", narrow);
    order.addEventListener("change", sort);
    find("#reset").addEventListener("click", reset);
    find(".tools").addEventListener("submit", (event) => event.preventDefault());
    for (const button of markButtons)
      button.addEventListener("click", () => {
        mark = button.dataset.mark;
        narrow();
      });
    find("#rows").addEventListener("click", (event) => {
      const card = event.target.closest("button.picture")?.closest(".card");
      if (card) open(rowOf.get(card));
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || !isPlain(event) || large.open || event.target === search) return;
      event.preventDefault();
      search.focus();
      search.select();
    });
    large.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by && isPlain(event)) step(by);
    });
    large.addEventListener("click", (event) => event.target === large && large.close());
    large.addEventListener("close", returnToCard);
    find("#previous").addEventListener("click", () => step(-1));
    find("#next").addEventListener("click", () => step(1));
    find("#close").addEventListener("click", () => large.close());
    find(".more button").addEventListener("click", placeMore);
    window.addEventListener("beforeprint", () => {
      place(shown.length);
      shown.forEach((row) => complete(row.card));
    });
  }

  function showButtons() {
    const known = new Set(rows.flatMap((row) => row.marks)).add("all");
    for (const button of markButtons) button.hidden = !known.has(button.dataset.mark);
  }

  followTheFile();
  document.addEventListener("DOMContentLoaded", () => {
    isWhole = true;
    takeInNew();
    listen();
    showButtons();
    drawHistogram();
    narrow();
    (window.requestIdleCallback ?? setTimeout)(makeSearchable);
  });
})();
