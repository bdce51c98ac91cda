"""For test suites: what generates requests and answers, drives worlds and checks servers; nothing else imports it."""
