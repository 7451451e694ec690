// All pages work without this. With it, parts of a page come up to date while
// it is open.
"use strict";
(() => {
	// patch makes an element like another of the same name, and touches only what
	// differs, so that focus, selection and scrolling stay.
	function patch(old, now) {
		for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && name !== "open") old.removeAttribute(name);
		for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
		const fresh = [...now.childNodes];
		fresh.forEach((node, i) => {
			const child = old.childNodes[i];
			if (!child) old.append(node);
			else if (child.nodeName !== node.nodeName) child.replaceWith(node);
			else if (node.nodeType === Node.ELEMENT_NODE) patch(child, node);
			else if (child.data !== node.data) child.data = node.data;
		});
		while (old.childNodes.length > fresh.length) old.lastChild.remove();
	}

	function replace({ id, html }) {
		const old = document.getElementById(id);
		if (!old) return;
		const now = document.createElement(old.nodeName);
		for (const { name, value } of old.attributes) now.setAttribute(name, value);
		now.innerHTML = html; // made by our server's templates, which escape
		patch(old, now);
	}

	// What somebody else changed since the page was shown is said before they
	// find out by a refusal.
	function meanwhile() {
		const expect = document.querySelector("form.change [name=expect]"), note = document.querySelector(".meanwhile");
		if (expect && note) note.hidden = Number(note.dataset.seq) <= Number(expect.value);
	}
	document.addEventListener("part", meanwhile);

	// A list says when the log has gone on.
	document.addEventListener("part", () => {
		const now = document.querySelector("[data-now]"), list = document.querySelector("[data-newer]");
		if (now && list) list.hidden = Number(now.dataset.now) <= Number(list.dataset.newer);
	});

	// Copying needs a script, so its buttons are not there without one.
	if (navigator.clipboard) for (const button of document.querySelectorAll(".copies")) {
		button.hidden = false;
		button.addEventListener("click", async () => {
			await navigator.clipboard.writeText(button.parentNode.querySelector("pre").textContent);
			button.textContent = "Copied";
			setTimeout(() => { button.textContent = "Copy"; }, 1500);
		});
	}

	// The preview of a shift, asked of the server while the slider moves.
	const change = document.querySelector("form.change");
	if (change) {
		const { stage, share, exact, cell } = change.elements, preview = document.getElementById("preview");
		let timer, asked = 0;
		const ask = () => {
			clearTimeout(timer);
			timer = setTimeout(async () => {
				const mine = ++asked, q = new URLSearchParams({ stage: stage.value, share: share.value, exact: exact.value, cell: cell ? cell.value : "" });
				try {
					const answer = await fetch(change.dataset.preview + "?" + q);
					if (answer.ok && mine === asked) replace({ id: preview.id, html: await answer.text() });
				} catch { /* the stream says that the gateway is away */ }
			}, 80);
		};
		share.addEventListener("input", () => { exact.value = String(Math.round(share.value * 10) / 10); ask(); });
		exact.addEventListener("input", () => { if (exact.value !== "" && !isNaN(exact.value)) share.value = exact.value; ask(); });
		stage.addEventListener("change", ask);
		if (cell) cell.addEventListener("change", ask);
	}

	// A change is sent while the page is still there: to leave it takes a browser
	// longer than everything else. What is refused is sent once more in the plain
	// way, which refuses it again and shows why.
	document.addEventListener("submit", async e => {
		const form = e.target, by = e.submitter;
		if (e.defaultPrevented || form.method !== "post" || !form.matches("[action^=\"/migrations/\"]")) return;
		e.preventDefault();
		if (form.dataset.sent) return; // pressed twice
		form.dataset.sent = "yes";
		const action = by && by.getAttribute("formaction") || form.action;
		try {
			const answer = await fetch(action, { method: "POST", body: new URLSearchParams(new FormData(form, by)) });
			if (answer.redirected && answer.ok) {
				if (answer.url === location.href) location.reload();
				else location.assign(answer.url);
				return;
			}
		} catch { /* the plain way says what is wrong */ }
		if (by && by.name) {
			const pressed = document.createElement("input");
			pressed.type = "hidden";
			pressed.name = by.name;
			pressed.value = by.value;
			form.append(pressed);
		}
		form.action = action;
		HTMLFormElement.prototype.submit.call(form);
	});

	// The stream: open while the page is seen, tried again when it is lost.
	const query = document.body.dataset.live, told = document.getElementById("connection");
	let source, lost, wait = 1000;
	function say(is, text) {
		told.dataset.is = is;
		if (told.textContent !== text) told.textContent = text;
	}
	function connect() {
		if (source || !query || document.hidden) return;
		source = new EventSource("/live?" + query);
		source.addEventListener("hello", e => {
			const instance = JSON.parse(e.data), again = instance !== document.body.dataset.instance;
			document.body.dataset.instance = instance;
			wait = 1000;
			lost = false;
			say("live", again ? "Live again: the gateway was restarted" : "Live");
		});
		source.addEventListener("part", e => {
			replace(JSON.parse(e.data));
			document.dispatchEvent(new Event("part"));
		});
		source.addEventListener("out", () => location.reload()); // who looked is let in no more
		source.onerror = () => {
			lost = true;
			say("lost", "Not live: trying to reach the gateway");
			if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
			disconnect();
			setTimeout(connect, wait);
			wait = Math.min(wait * 2, 15000);
		};
	}
	function disconnect() {
		if (source) source.close();
		source = undefined;
	}
	// A tab that nobody sees keeps no connection: browsers have six for a host.
	document.addEventListener("visibilitychange", () => {
		if (document.hidden) disconnect(); else connect();
	});
	addEventListener("pagehide", disconnect);
	addEventListener("pageshow", connect);
	connect();
})();
