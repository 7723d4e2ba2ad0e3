"""The file socket (文件插座): CSV and XML files dropped in a folder are pushed, and answered by files."""
