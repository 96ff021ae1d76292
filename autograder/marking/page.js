// Ticks add up, each change is saved at once, and Ctrl+Enter goes on. The server keeps; this page only asks it.
"use strict";

const answers = [...document.querySelectorAll("article")];
const count = document.getElementById("count");
const SOON = 700; // milliseconds after the last letter of a comment
const AGAIN = 3000; // after the server did not answer

function recount() {
  const shown = answers.filter((one) => one.dataset.before !== one.className);
  for (const one of shown) {
    if (one.dataset.before !== undefined) count.dataset.marked = +count.dataset.marked + (one.className === "marked" ? 1 : -1);
    one.dataset.before = one.className;
  }
  const { marked, all } = count.dataset;
  count.textContent = marked === all ? `All ${all} answers are marked.` : `${marked} of ${all} answers are marked.`;
}

function begin(one) {
  const ticks = [...one.querySelectorAll("input[type=checkbox]")];
  const points = one.querySelector("input[type=number]");
  const comment = one.querySelector("textarea");
  const said = one.querySelector(".said");
  let running = false, due = false, timer = 0;
  let settled = one.className === "marked"; // else a comment alone is no mark, nor are points of before

  function say(text, bad) {
    said.textContent = text;
    said.className = bad ? "said bad" : "said";
  }

  async function save() {
    clearTimeout(timer);
    due = true;
    if (running) return;
    running = true;
    one.toggleAttribute("data-sending", true);
    while (due) {
      due = false;
      const sent = {
        student: one.dataset.student,
        digest: one.dataset.digest,
        score: points.value === "" ? null : Number(points.value),
        comment: comment.value,
        ticked: ticks.filter((tick) => tick.checked).map((tick) => tick.dataset.text),
        settled,
      };
      try {
        const answer = await fetch("mark" + location.search, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(sent),
        });
        const told = await answer.json();
        say(told.said, !answer.ok);
        points.setAttribute("aria-invalid", String(!answer.ok));
        one.toggleAttribute("data-unsaved", !answer.ok);
        if (answer.ok) one.className = told.waits ? "" : "marked";
      } catch {
        say("Not saved: nothing answers. Is `unrolled mark` still running? Trying again.", true);
        one.toggleAttribute("data-unsaved", true);
        timer = setTimeout(save, AGAIN);
      }
    }
    running = false;
    one.toggleAttribute("data-sending", false);
    recount();
  }

  function settle() {
    settled = true;
    save();
  }

  function later() {
    one.toggleAttribute("data-unsaved", true);
    clearTimeout(timer);
    timer = setTimeout(save, SOON);
  }

  function add() {
    const ticked = ticks.filter((tick) => tick.checked);
    const sum = ticked.reduce((all, tick) => all + Number(tick.value), 0);
    points.value = ticked.length ? Math.min(Number(one.dataset.top), Math.round(sum * 100) / 100) : "";
    settle();
  }

  function go(step) {
    if (points.value !== "") settle();
    const at = answers.indexOf(one);
    const order = [...answers.slice(at + 1), ...answers.slice(0, at)];
    const waits = (other) => other.className !== "marked" && !other.hasAttribute("data-sending");
    const next = step < 0 ? answers[Math.max(0, at - 1)] : order.find(waits);
    if (!next) {
      count.focus();
      return;
    }
    next.scrollIntoView({ block: "start" });
    next.querySelector("input").focus({ preventScroll: true });
  }

  ticks.forEach((tick) => tick.addEventListener("change", add));
  points.addEventListener("change", settle);
  comment.addEventListener("input", later);
  comment.addEventListener("change", save);
  one.querySelector("button").addEventListener("click", () => go(1));
  one.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      go(event.shiftKey ? -1 : 1);
    }
  });
}

answers.forEach((one) => {
  one.dataset.before = one.className;
  begin(one);
});
addEventListener("beforeunload", (event) => {
  if (answers.some((one) => one.hasAttribute("data-unsaved"))) event.preventDefault();
});
