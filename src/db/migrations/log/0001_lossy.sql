ALTER TABLE `requests` ADD `lossy` text;
