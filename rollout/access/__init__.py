"""Who may reach which sites: the region's control node, and contractors within their cities."""
