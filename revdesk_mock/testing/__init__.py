"""For test suites: worlds to hold, requests and answers made up, servers checked; nothing else imports it."""
