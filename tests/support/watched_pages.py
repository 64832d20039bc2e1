"""What must not happen in any browser: errors of scripts, of the policy, of servers."""

from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Response, WebError

OF_AN_ANSWER = "Failed to load resource: the server responded with a status of"
"""Such a line stands in the console, too; the answers themselves are looked at."""


# No slots: Playwright notes on whom it calls that it does.
@dataclass
class FaultWatch:
    """The faults that were seen in the pages of some browsers."""

    faults: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Note the faults of each page of *context* from now on."""
        context.on("console", self.hear)
        context.on("weberror", self.catch)
        context.on("response", self.see)

    def hear(self, message: ConsoleMessage) -> None:
        """Errors and warnings; what the policy forbids is told as an error."""
        if message.type not in ("error", "warning"):
            return
        if not message.text.startswith(OF_AN_ANSWER):
            self.faults.append(f"{message.type} in the console: {message.text}")

    def catch(self, error: WebError) -> None:
        self.faults.append(f"a script failed: {error.error}")

    def see(self, response: Response) -> None:
        """A form may be refused, by 4xx; what belongs to a page must be there."""
        is_page = response.request.is_navigation_request()
        if response.status >= (500 if is_page else 400):
            self.faults.append(f"{response.status}: {response.url}")
