ALTER TABLE `requests` ADD `route` text;
