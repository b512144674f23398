"use strict";
// Interactive paths: one canvas, a list of paths, a slider through the images of the chosen one.
(function () {
  const ION = "#d55e00";
  const TRAIL = "#0072b2";
  const STEP_MS = 420;
  const NEAR_ANG = 5.5;

  function decode(model, unit) {
    // Positions of all atoms in each image, in angstrom.
    return model.frames.map(function (flat) {
      const places = [];
      for (let k = 0; k < flat.length; k += 3) {
        places.push([flat[k] * unit, flat[k + 1] * unit, flat[k + 2] * unit]);
      }
      return places;
    });
  }

  function translate(place, shift, cell) {
    return [0, 1, 2].map((i) => place[i] + shift[0] * cell[0][i] + shift[1] * cell[1][i]
      + shift[2] * cell[2][i]);
  }

  function xyz(p) { return { x: p[0], y: p[1], z: p[2] }; }

  function sub(p, q) { return [p[0] - q[0], p[1] - q[1], p[2] - q[2]]; }

  function middle(points) {
    return [0, 1, 2].map((i) => points.reduce((sum, p) => sum + p[i], 0) / points.length);
  }

  function neighbours(pbc) {
    // Lattice translations to a cell and to those around it.
    const steps = pbc.map((periodic) => (periodic ? [0, -1, 1] : [0]));
    return steps[0].flatMap((i) => steps[1].flatMap((j) => steps[2].map((k) => [i, j, k])));
  }

  function cross(u, v) {
    return [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
  }

  function unit(u) {
    const length = Math.hypot(u[0], u[1], u[2]) || 1;
    return u.map((x) => x / length);
  }

  function times(p, q) {
    // Product of two quaternions (x, y, z, w).
    return [
      p[3] * q[0] + p[0] * q[3] + p[1] * q[2] - p[2] * q[1],
      p[3] * q[1] - p[0] * q[2] + p[1] * q[3] + p[2] * q[0],
      p[3] * q[2] + p[0] * q[1] - p[1] * q[0] + p[2] * q[3],
      p[3] * q[3] - p[0] * q[0] - p[1] * q[1] - p[2] * q[2],
    ];
  }

  function quaternion(m) {
    // Of a rotation matrix given by its rows (Shepperd's method).
    const candidates = [
      [1 + m[0][0] - m[1][1] - m[2][2], m[0][1] + m[1][0], m[0][2] + m[2][0], m[2][1] - m[1][2]],
      [m[0][1] + m[1][0], 1 - m[0][0] + m[1][1] - m[2][2], m[1][2] + m[2][1], m[0][2] - m[2][0]],
      [m[0][2] + m[2][0], m[1][2] + m[2][1], 1 - m[0][0] - m[1][1] + m[2][2], m[1][0] - m[0][1]],
      [m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1], 1 + m[0][0] + m[1][1] + m[2][2]],
    ];
    const best = candidates.reduce((one, two, k) => (
      two[k] > one.size ? { size: two[k], q: two } : one), { size: -1, q: null }).q;
    const length = Math.hypot(...best);
    return best.map((x) => x / length);
  }

  function facing(towards, top) {
    // The turn that shows a direction head on with another one up, tilted a little.
    const right = unit(cross(top, towards));
    const tilt = (axis, degrees) => {
      const half = degrees * Math.PI / 360;
      return [0, 1, 2].map((i) => (i === axis ? Math.sin(half) : 0)).concat(Math.cos(half));
    };
    const straight = quaternion([right, cross(unit(towards), right), unit(towards)]);
    return times(times(tilt(0, 7), tilt(1, 12)), straight);
  }

  function normal(a, b, c) {
    return xyz(unit(cross(sub(b, a), sub(c, a))));
  }

  function element(tag, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function Viewer(root) {
    this.root = root;
    this.data = JSON.parse(document.getElementById(root.dataset.payload).textContent);
    this.select = root.querySelector("select");
    this.slider = root.querySelector("input[type=range]");
    this.status = root.querySelector(".status");
    this.profile = root.querySelector(".profile");
    this.playing = null;
    this.view = null;
    this.beads = [];
    this.fill();
    this.connect();
  }

  Viewer.prototype.fill = function () {
    const groups = new Map();
    this.data.models.forEach((model, index) => {
      const option = document.createElement("option");
      option.value = index;
      option.textContent = model.name;
      if (!model.group) { this.select.append(option); return; }
      if (!groups.has(model.group)) {
        const group = document.createElement("optgroup");
        group.label = model.group;
        this.select.append(group);
        groups.set(model.group, group);
      }
      groups.get(model.group).append(option);
    });
  };

  Viewer.prototype.connect = function () {
    const on = (name, what) => this.root.querySelector(name).addEventListener("click", what);
    this.select.addEventListener("change", () => this.choose(Number(this.select.value)));
    this.slider.addEventListener("input", () => { this.stop(); this.show(Number(this.slider.value)); });
    on(".toggle-play", () => (this.playing ? this.stop() : this.play()));
    on(".reset", () => { this.face(); });
    on(".zoom-in", () => { this.view.zoom(1.2); });
    on(".zoom-out", () => { this.view.zoom(1 / 1.2); });
    this.root.querySelector(".polyhedra").addEventListener("change", () => this.show(this.image));
    this.root.querySelector(".whole").addEventListener("change", () => {
      this.selectShown();
      this.show(this.image);
      this.face();
    });
    // The page scrolls past the picture: only ctrl + wheel zooms.
    this.root.querySelector(".stage").addEventListener("wheel", function (event) {
      if (!event.ctrlKey) event.stopPropagation();
    }, { capture: true });
  };

  Viewer.prototype.start = function () {
    const message = this.root.querySelector(".message");
    try {
      this.view = $3Dmol.createViewer(this.root.querySelector(".canvas"), {
        backgroundColor: "white", orthographic: true, disableFog: false, antialias: true,
      });
    } catch (error) {
      this.view = null;
    }
    if (!this.view) {
      message.textContent = "This browser cannot draw in 3D (WebGL is off). The figures above show "
        + "the same structures.";
      return;
    }
    message.remove();
    this.choose(0);
  };

  Viewer.prototype.choose = function (index) {
    this.stop();
    this.model = this.data.models[index];
    this.frames = decode(this.model, this.data.unit_ang);
    this.slider.max = this.frames.length - 1;
    this.beads = this.path();
    this.root.querySelector(".play").hidden = this.frames.length < 2;
    this.root.querySelector(".whole").disabled = !this.beads.length;
    this.drawKey();
    this.selectShown();
    this.show(0);
    this.face();
  };

  Viewer.prototype.face = function () {
    // The path from the side, or else along the first lattice vector; the third one points up.
    const { cell } = this.model;
    const way = this.beads.length ? cross(sub(this.beads[this.beads.length - 1], this.beads[0]),
      cell[2]) : [0, 0, 0];
    const sideways = !this.whole() && Math.hypot(...way) > 0.2 * Math.hypot(...cell[2]);
    this.view.zoomTo({ model: 0 });
    const around = this.view.getView();
    this.view.setView([...around.slice(0, 4), ...facing(sideways ? way : cell[0], cell[2])]);
    const { clientWidth, clientHeight } = this.root.querySelector(".canvas");
    this.view.zoom(1.3 * Math.max(1, clientHeight / clientWidth));
    this.view.render();
  };

  Viewer.prototype.whole = function () {
    return this.root.querySelector(".whole").checked || !this.beads.length;
  };

  Viewer.prototype.path = function () {
    // Where the ion is in each image.
    const { ion, sprites, cell } = this.model;
    if (ion === null || this.frames.length < 2) return [];
    const home = sprites.find((s) => s[0] === ion).slice(1);
    return this.frames.map((frame) => translate(frame[ion], home, cell));
  };

  Viewer.prototype.selectShown = function () {
    // Which images of atoms, polyhedra and bonds to draw: all of them, or those near the path.
    const { sprites, polyhedra, bonds, cell } = this.model;
    const corners = new Set(polyhedra.flatMap((p) => p.v));
    const near = (p) => this.beads.some((bead) => Math.hypot(...sub(p, bead)) < NEAR_ANG);
    const whole = this.whole();
    const shifts = whole ? [[0, 0, 0]] : neighbours(this.model.pbc);
    const at = (k, shift) => translate(this.frames[0][sprites[k][0]],
      [0, 1, 2].map((i) => sprites[k][i + 1] + shift[i]), cell);
    this.items = [];
    this.shapes = [];
    this.links = [];
    const known = new Map();
    const item = (k, shift) => {
      const image = [sprites[k][0], ...[0, 1, 2].map((i) => sprites[k][i + 1] + shift[i])];
      const name = image.join();
      if (!known.has(name)) { known.set(name, this.items.length); this.items.push(image); }
      return known.get(name);
    };
    shifts.forEach((shift) => {
      const inside = sprites.map((s, k) => !corners.has(k) && (whole || near(at(k, shift))));
      inside.forEach((shown, k) => { if (shown) item(k, shift); });
      polyhedra.forEach((p) => {
        if (!whole && !near(middle(p.v.map((k) => at(k, shift))))) return;
        this.shapes.push({ z: p.z, f: p.f, v: p.v.map((k) => item(k, shift)) });
      });
      bonds.forEach(([i, j]) => {
        if (whole || (inside[i] && inside[j])) this.links.push([item(i, shift), item(j, shift)]);
      });
    });
  };

  Viewer.prototype.show = function (image) {
    this.image = image;
    this.slider.value = image;
    const view = this.view;
    if (!view) return;
    view.removeAllModels();
    view.removeAllShapes();
    const places = this.items.map((s) => translate(this.frames[image][s[0]], s.slice(1),
      this.model.cell));
    this.addAtoms(places);
    if (this.root.querySelector(".polyhedra").checked) this.addPolyhedra(places);
    this.addTrail();
    if (this.whole()) this.addCell();
    view.render();
    this.describe();
    this.drawProfile();
  };

  Viewer.prototype.addAtoms = function (places) {
    const { numbers, ion } = this.model;
    const partners = this.items.map(() => []);
    this.links.forEach(([i, j]) => { partners[i].push(j); partners[j].push(i); });
    const drawn = this.view.addModel();
    drawn.addAtoms(this.items.map((s, k) => Object.assign(xyz(places[k]), {
      elem: this.data.elements[numbers[s[0]]].symbol, serial: k, index: k, hetflag: true,
      bonds: partners[k], bondOrder: partners[k].map(() => 1),
    })));
    const mobile = ion === null ? null : numbers[ion];
    this.items.forEach((s, k) => {
      const { colour, radius } = this.data.elements[numbers[s[0]]];
      const moves = s[0] === ion;
      const share = numbers[s[0]] === mobile ? 0.45 : 0.22;
      drawn.setStyle({ serial: k }, {
        sphere: { radius: share * radius, color: moves ? ION : colour },
        ...(partners[k].length ? { stick: { radius: 0.1, color: colour } } : {}),
      });
    });
  };

  Viewer.prototype.addPolyhedra = function (places) {
    const byColour = new Map();
    this.shapes.forEach((p) => {
      const { colour } = this.data.elements[p.z];
      if (!byColour.has(colour)) byColour.set(colour, { v: [], n: [], f: [] });
      const mesh = byColour.get(colour);
      for (let k = 0; k < p.f.length; k += 3) {
        const corner = [0, 1, 2].map((i) => places[p.v[p.f[k + i]]]);
        const n = normal(corner[0], corner[1], corner[2]);
        corner.forEach((c) => { mesh.f.push(mesh.v.length); mesh.v.push(xyz(c)); mesh.n.push(n); });
      }
    });
    byColour.forEach((mesh, colour) => this.view.addCustom({
      vertexArr: mesh.v, normalArr: mesh.n, faceArr: mesh.f, color: colour, opacity: 0.6,
    }));
  };

  Viewer.prototype.addTrail = function () {
    this.beads.forEach((bead, k) => {
      this.view.addSphere({ center: xyz(bead), radius: 0.3, color: TRAIL });
      if (k) {
        this.view.addCylinder({ start: xyz(this.beads[k - 1]), end: xyz(bead), radius: 0.12,
          color: TRAIL, fromCap: 1, toCap: 1 });
      }
    });
  };

  Viewer.prototype.addCell = function () {
    const at = (k) => translate([0, 0, 0], [(k >> 2) & 1, (k >> 1) & 1, k & 1], this.model.cell);
    for (let k = 0; k < 8; k += 1) {
      [1, 2, 4].filter((axis) => !(k & axis)).forEach((axis) => {
        this.view.addLine({ start: xyz(at(k)), end: xyz(at(k | axis)), color: "#8a8f94" });
      });
    }
  };

  Viewer.prototype.describe = function () {
    const { energies, note, name } = this.model;
    const parts = [name];
    if (this.frames.length > 1) parts.push(`image ${this.image + 1} of ${this.frames.length}`);
    if (energies) parts.push(`${energies[this.image].toFixed(3)} eV`);
    this.status.textContent = parts.join(" · ") + (note ? ". " + note : "");
  };

  Viewer.prototype.drawKey = function () {
    const key = this.root.querySelector(".key");
    const { numbers, ion } = this.model;
    const entries = Array.from(new Set(numbers)).sort((a, b) => b - a)
      .map((z) => [this.data.elements[z].symbol, this.data.elements[z].colour]);
    if (ion !== null) entries.unshift(["hopping ion", ION], ["path", TRAIL]);
    key.replaceChildren(...entries.map(function ([text, colour]) {
      const span = document.createElement("span");
      span.textContent = text;
      span.style.setProperty("--dot", colour);
      return span;
    }));
  };

  Viewer.prototype.drawProfile = function () {
    const { energies, coordinate } = this.model;
    this.profile.replaceChildren();
    this.profile.style.display = energies ? "" : "none";
    if (!energies) return;
    const low = Math.min(0, ...energies);
    const high = Math.max(0.01, ...energies);
    const x = (c) => 50 + 184 * c;
    const y = (e) => 100 - 76 * ((e - low) / (high - low));
    const points = energies.map((e, k) => [x(coordinate[k]), y(e)]);
    const add = (tag, attributes, text) => this.profile.append(element(tag, attributes, text));
    add("line", { class: "axis", x1: 40, x2: 240, y1: y(0), y2: y(0) });
    add("line", { class: "axis", x1: 40, x2: 40, y1: 18, y2: 106 });
    add("text", { x: 36, y: y(high) + 4, "text-anchor": "end" }, high.toFixed(2));
    add("text", { x: 36, y: y(0) + 4, "text-anchor": "end" }, "0");
    add("text", { x: 2, y: 10 }, "Energy (eV)");
    add("text", { x: 142, y: 124, "text-anchor": "middle" }, "Route coordinate");
    add("polyline", { class: "curve", points: points.map((p) => p.join(",")).join(" ") });
    points.forEach(([px, py], k) => add("circle", {
      class: k === this.image ? "now" : "image", cx: px, cy: py, r: k === this.image ? 6 : 3,
    }));
  };

  Viewer.prototype.play = function () {
    let step = 1;
    this.root.querySelector(".toggle-play").textContent = "Pause";
    this.playing = window.setInterval(() => {
      const next = this.image + step;
      if (next < 0 || next >= this.frames.length) step = -step;
      this.show(this.image + step);
    }, STEP_MS);
  };

  Viewer.prototype.stop = function () {
    if (this.playing) window.clearInterval(this.playing);
    this.playing = null;
    this.root.querySelector(".toggle-play").textContent = "Play";
  };

  document.querySelectorAll(".viewer").forEach(function (root) {
    const viewer = new Viewer(root);
    const watch = new IntersectionObserver(function (entries) {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      viewer.start();
    }, { rootMargin: "400px" });
    watch.observe(root);
  });
})();
