// Follows the runs that were asked for while one is open. Without scripts the page loads itself anew.
"use strict";
const SECONDS = 3;
const look = async () => {
    const shown = document.getElementById("requests");
    try {
        const answer = await fetch(location.href);
        if (answer.ok) {
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            const now = page.getElementById("requests");
            // All is over, or the login is: what the page shows is to be seen as it is now.
            if (!now || !("open" in now.dataset)) return location.reload();
            if (now.innerHTML !== shown.innerHTML) shown.replaceChildren(...now.childNodes);
        }
    } catch {
        // The server does not answer: it may again.
    }
    setTimeout(look, SECONDS * 1000);
};
setTimeout(look, SECONDS * 1000);
