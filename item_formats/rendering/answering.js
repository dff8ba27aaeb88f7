"use strict";
(() => {
  const all = (what, from = document) => [...from.querySelectorAll(what)];

  // No more boxes than may be checked.
  for (const group of all("[data-tiku=limit]")) {
    const boxes = all("input[type=checkbox]", group);
    group.addEventListener("change", () => {
      const full = boxes.filter((box) => box.checked).length >= Number(group.dataset.most);
      for (const box of boxes) box.disabled = full && !box.checked;
    });
  }

  // A place belongs to one choice. Said, not mended: arrow keys pass through places that are taken.
  for (const group of all("[data-tiku=order]")) {
    const lists = all("select", group);
    const [status] = all("[role=status]", group);
    group.addEventListener("change", () => {
      const taken = lists.map((list) => list.value);
      const twice = (place) => place !== "" && taken.indexOf(place) !== taken.lastIndexOf(place);
      for (const list of lists) {
        if (twice(list.value)) list.setAttribute("aria-invalid", "true");
        else list.removeAttribute("aria-invalid");
      }
      const places = [...new Set(taken.filter(twice))].sort((one, other) => one - other);
      status.textContent = places.length ? `有几项的次序同为第 ${places.join("、")}` : "";
    });
  }

  // The slider and the number beside it say the same.
  for (const scale of all("[data-tiku=slider]")) {
    const [range] = all("input[type=range]", scale);
    const [number] = all("input[type=number]", scale);
    range.addEventListener("input", () => { number.value = range.value; });
    number.addEventListener("input", () => { if (number.value !== "") range.value = number.value; });
  }

  // Points: a click on the picture fills the next empty pair of numbers, numbers show as marks on the picture.
  for (const group of all("[data-tiku=points]")) {
    const stage = document.getElementById(group.dataset.stage);
    const picture = all(".object img", group)[0];
    const rows = () => all(".points > div", group);
    const draw = () => {
      for (const mark of all(".mark", stage)) if (mark.owner === group) mark.remove();
      rows().forEach((row, place) => {
        const [x, y] = all("input", row).map((input) => input.value);
        if (x === "" || y === "") return;
        const mark = document.createElement("span");
        mark.className = picture ? "mark placed" : "mark";
        mark.owner = group;
        mark.style.left = `${(100 * x) / stage.dataset.width}%`;
        mark.style.top = `${(100 * y) / stage.dataset.height}%`;
        if (picture) {
          const copy = picture.cloneNode();
          copy.alt = "";
          mark.append(copy);
        } else mark.textContent = place + 1;
        stage.append(mark);
      });
    };
    const active = () => {
      const groups = all(`[data-stage="${CSS.escape(stage.id)}"]`);
      return groups.find((one) => one.dataset.active) || groups[0];
    };
    group.addEventListener("focusin", () => {
      for (const one of all("[data-tiku=points]")) delete one.dataset.active;
      group.dataset.active = "true";
    });
    stage.addEventListener("click", (event) => {
      if (active() !== group) return;
      const box = stage.getBoundingClientRect();
      const free = rows().find((row) => all("input", row).some((input) => input.value === "")) || rows().at(-1);
      const [x, y] = all("input", free);
      x.value = Math.round(((event.clientX - box.left) / box.width) * stage.dataset.width);
      y.value = Math.round(((event.clientY - box.top) / box.height) * stage.dataset.height);
      draw();
    });
    group.addEventListener("input", draw);
    const [more] = all(".more", group);
    if (more) {
      more.hidden = false;
      more.addEventListener("click", () => {
        const last = rows().at(-1), place = rows().length + 1;
        const row = last.cloneNode(true);
        row.setAttribute("aria-label", `点 ${place}`);
        row.querySelector(".label").textContent = `点 ${place}`;
        for (const input of all("input", row)) {
          input.value = "";
          input.name = input.name.replace(/:point:\d+:/, `:point:${place}:`);
        }
        last.after(row);
        all("input", row)[0].focus();
      });
    }
  }

  // How often something was played to its end.
  for (const group of all("[data-tiku=plays]")) {
    const [player] = all("audio, video", group);
    const [count] = all("input[type=hidden]", group);
    const most = Number(group.dataset.most);
    player?.addEventListener("ended", () => {
      count.value = Number(count.value) + 1;
      all("output", group)[0].textContent = count.value;
      if (most && Number(count.value) >= most) player.controls = false;
    });
  }

  // Drawing with a pointer, or with arrow keys and the space bar.
  for (const group of all("[data-tiku=drawing]")) {
    const [canvas] = all("canvas", group);
    const [tools] = all(".tools", group);
    const [answer] = all("input[type=hidden]", group);
    const [pen] = all("output", tools);
    const context = canvas.getContext("2d");
    const at = { x: canvas.width / 2, y: canvas.height / 2 };
    let strokes = [], down = false, keyboard = false;
    canvas.hidden = tools.hidden = false;
    const draw = () => {
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.lineWidth = 3;
      context.lineCap = context.lineJoin = "round";
      context.strokeStyle = "#b3261e";
      for (const [first, ...rest] of strokes) {
        context.beginPath();
        context.moveTo(first.x, first.y);
        for (const point of rest.length ? rest : [first]) context.lineTo(point.x, point.y);
        context.stroke();
      }
      if (keyboard) {
        context.lineWidth = 1.5;
        context.strokeStyle = "#1b1f24";
        context.strokeRect(at.x - 5, at.y - 5, 10, 10);
      }
      pen.textContent = down ? "落笔" : "抬笔";
    };
    const keep = () => {
      const shown = keyboard;
      keyboard = false;
      draw();
      answer.value = strokes.length ? canvas.toDataURL("image/png") : "";
      keyboard = shown;
      draw();
    };
    const point = (event) => {
      const box = canvas.getBoundingClientRect();
      return {
        x: ((event.clientX - box.left) / box.width) * canvas.width,
        y: ((event.clientY - box.top) / box.height) * canvas.height,
      };
    };
    canvas.addEventListener("pointerdown", (event) => {
      keyboard = false;
      down = true;
      canvas.setPointerCapture(event.pointerId);
      strokes.push([point(event)]);
      draw();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!down || keyboard) return;
      strokes.at(-1).push(point(event));
      draw();
    });
    canvas.addEventListener("pointerup", () => { down = false; keep(); });
    canvas.addEventListener("focus", () => { keyboard = canvas.matches(":focus-visible"); draw(); });
    canvas.addEventListener("blur", () => { keyboard = down = false; keep(); });
    canvas.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 20 : 5;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
      const move = moves[event.key];
      if (!move && event.key !== " ") return;
      event.preventDefault();
      keyboard = true;
      if (move) {
        at.x = Math.min(Math.max(at.x + move[0], 0), canvas.width);
        at.y = Math.min(Math.max(at.y + move[1], 0), canvas.height);
        if (down) strokes.at(-1).push({ ...at });
      } else {
        down = !down;
        if (down) strokes.push([{ ...at }]);
      }
      draw();
      if (!down) keep();
    });
    const [undo] = all(".undo", group);
    const [clear] = all(".clear", group);
    undo.addEventListener("click", () => { strokes.pop(); down = false; keep(); });
    clear.addEventListener("click", () => { strokes = []; down = false; keep(); });
  }
})();
