"""What runs on a host at the first contact; standard library only, sent over SSH, left nowhere."""
